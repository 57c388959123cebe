/** POST and GET while servers are away. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config';
import { addressOf, ApiClient } from '../../support/api-client';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { TcpProxy } from '../../support/tcp-proxy';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let line: TcpProxy;
const issuer = new TokenIssuer();
const token = () => issuer.token('service');

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  line?.resume();
  line?.unblock();
  await harness?.close();
  await line?.close();
});

/** The database would keep a caller waiting for as long as a test may take; only the answer's own limit ends it. */
const onlyAnswerLimit = (config: Config): Config => ({
  ...config,
  database: { ...config.database, statementTimeoutMs: 600_000 },
  http: { ...config.http, answerTimeoutMs: 300 },
});

async function behindLine(
  name: 'DATABASE_URL' | 'REDIS_MONEY_URL' | 'REDIS_BACKGROUND_URL',
  tune?: (config: Config) => Config,
) {
  const url = harness.environment.variables[name] ?? '';
  line = await TcpProxy.open(url);
  const variables = { ROLES: 'api', JWT_PUBLIC_KEY: issuer.publicKey, [name]: line.through(url) };
  return new ApiClient(addressOf(await harness.startService({}, tune, variables)));
}
const canary = (type: string) => ({ type, data: { n: 1, note: randomUUID() }, idempotencyKey: randomUUID() });
const count = async (): Promise<number> =>
  Number((await harness.environment.pool.query('SELECT count(*) FROM critical_jobs')).rows[0].count);

describe('while PostgreSQL', () => {
  it.each([
    ['refuses every connection', undefined, () => line.block(), () => line.unblock()],
    ['does not answer', onlyAnswerLimit, () => line.silence(), () => line.resume()],
  ])('%s, POST is answered with 503 in time; the same again afterwards makes one job', async (_, tune, fail, heal) => {
    const api = await behindLine('DATABASE_URL', tune);
    const json = canary('canary-money');
    expect((await api.post('/jobs', { token: token(), json: canary('canary-money') })).status).toBe(201);
    fail();

    const { status, body, headers } = await api.post('/jobs', { token: token(), json });
    expect({ status, body }).toMatchObject({ status: 503, body: { code: 'QUEUE_UNAVAILABLE', details: [] } });
    expect(headers.get('retry-after')).toBe('2');
    const looked = await api.get(`/jobs/${randomUUID()}`, { token: token() });
    expect(looked).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    heal();
    await eventually('it is taken', async () => (await api.post('/jobs', { token: token(), json })).status < 300);
    expect((await api.post('/jobs', { token: token(), json })).status).toBe(200);
    expect(await count()).toBe(2);
  });

  it('refuses one, its neighbours are taken', async () => {
    const api = new ApiClient(
      addressOf(await harness.startService({}, undefined, { ROLES: 'api', JWT_PUBLIC_KEY: issuer.publicKey })),
    );
    await harness.environment.pool.query(
      `ALTER TABLE critical_jobs ADD CONSTRAINT no_thirteen CHECK (data->>'n' <> '13')`,
    );
    const answers = await Promise.all(
      [12, 13, 14].map((n) => api.post('/jobs', { token: token(), json: { type: 'canary-money', data: { n } } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 400, 201]);
    expect(answers[1]?.body).toMatchObject({ code: 'NOT_STORABLE' });
  });
});

describe('a caller that has been told to come again', () => {
  it('is not served on the quiet afterwards: what waited behind a stuck claim is not claimed', async () => {
    const stuck = gate();
    const reached = gate();
    let claims = 0;
    const decorate = around({
      claim: async (run) => {
        claims += 1;
        if (claims > 1) return run();
        reached.open();
        await stuck.opened;
        throw new Error('Connection terminated unexpectedly');
      },
    });
    const variables = { ROLES: 'api', JWT_PUBLIC_KEY: issuer.publicKey };
    const service = await harness.startService({ decorate }, onlyAnswerLimit, variables);
    const api = new ApiClient(addressOf(service));
    const first = api.post('/jobs', { token: token(), json: canary('canary-money') });
    await reached.opened;
    const second = api.post('/jobs', { token: token(), json: canary('canary-money') });
    expect((await first).status).toBe(503);
    expect((await second).status).toBe(503);
    stuck.open();

    await eventually('requests are taken again', async () => {
      const { status } = await api.post('/jobs', { token: token(), json: canary('canary-money') });
      return status === 201;
    });
    expect(await count()).toBe(1);
  });
});

describe.each([
  ['refuses every connection', () => line.block()],
  ['does not answer', () => line.silence()],
])('while a Redis %s', (_, fail) => {
  it('of the money tier, money is taken with 201', async () => {
    const api = await behindLine('REDIS_MONEY_URL');
    expect((await api.post('/jobs', { token: token(), json: canary('canary-money') })).status).toBe(201);
    fail();
    expect((await api.post('/jobs', { token: token(), json: canary('canary-money') })).status).toBe(201);
    expect(await count()).toBe(2);
  });

  it('of the background tier, its jobs are refused with 503, and money is taken', async () => {
    const api = await behindLine('REDIS_BACKGROUND_URL');
    expect((await api.post('/jobs', { token: token(), json: canary('canary-background') })).status).toBe(201);
    fail();
    const [background, money] = await Promise.all(
      ['canary-background', 'canary-money'].map((type) => api.post('/jobs', { token: token(), json: canary(type) })),
    );
    expect(background).toMatchObject({ status: 503, body: { code: 'QUEUE_UNAVAILABLE' } });
    expect(money?.status).toBe(201);
  });
});
