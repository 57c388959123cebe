/** Jobs of the lower tiers by HTTP: their record is in one place while they are open and in another when they have ended. */
import { randomUUID } from 'node:crypto';
import { addressOf, ApiClient } from '../../support/api-client';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { LOWER_TIERS } from '../../../src/contract/names';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let api: ApiClient;
const issuer = new TokenIssuer();
const token = issuer.token('service', { id: 'shop' });
let ending = gate();

const canary: Handler = async () => {
  await ending.opened;
  return done({ n: 1 });
};

beforeAll(async () => {
  harness = await openHarness();
  const handlers = new Map(LOWER_TIERS.map((tier) => [`canary-${tier}`, canary]));
  const service = await harness.startService({ handlers }, undefined, { JWT_PUBLIC_KEY: issuer.publicKey });
  api = new ApiClient(addressOf(service));
});
beforeEach(() => {
  ending = gate();
});
afterAll(() => harness?.close());

it.each(LOWER_TIERS)(
  'a %s job is created, told of while it is open and after its end, and known again',
  async (tier) => {
    const json = { type: `canary-${tier}`, data: { n: 1 }, idempotencyKey: randomUUID() };
    const created = await api.post('/jobs', { token, json });
    expect(created.status).toBe(201);
    const { jobId: id } = created.body as { jobId: string };
    const read = () => api.get(`/jobs/${id}`, { token });
    const running = await eventually('it runs', async () => {
      const answer = await read();
      return (answer.body as { state: string }).state === 'active' ? answer.body : undefined;
    });
    expect(running).toMatchObject({ id, queue: `${tier}-queue`, data: { n: 1 }, result: null });
    expect((await api.get(`/jobs/${id}`, { token: issuer.token('service', { id: 'other' }) })).status).toBe(404);

    const again = await api.post('/jobs', { token, json });
    expect(again).toMatchObject({ status: 200, body: { status: 'duplicate', jobId: id } });
    ending.open();
    const ended = await eventually('it has ended', async () => {
      const answer = await read();
      return (answer.body as { state: string }).state === 'completed' ? answer.body : undefined;
    });
    expect(ended).toMatchObject({ id, data: null, result: { n: 1 }, attempts: 1 });
    const conflict = await api.post('/jobs', { token, json: { ...json, data: { n: 2 } } });
    expect(conflict).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
  },
);
