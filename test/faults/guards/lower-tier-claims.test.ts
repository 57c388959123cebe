import { randomUUID } from 'node:crypto';
import { EXCHANGES, LOWER_TIERS } from '../../../src/contract/names';
import { addressOf, ApiClient } from '../../support/api-client';
import { around } from '../../support/around';
import { eventually, gate, jobRequestEvent, openHarness, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

describe.each(LOWER_TIERS)('a claim of the %s tier', (tier) => {
  let own: Harness;
  const type = `canary-${tier}`;
  /** Fails once at that step, as if the process had died there: the message comes again. */
  let dies: 'enqueue' | 'after claim' | undefined;
  const died = (): never => {
    dies = undefined;
    throw new Error('died here, as the test wants it');
  };

  beforeAll(async () => {
    own = await openHarness();
    const decorate = around({
      enqueue: (run) => (dies === 'enqueue' ? died() : run()),
      claim: async (run) => {
        const answer = await run();
        return dies === 'after claim' ? died() : answer;
      },
    });
    await own.startService({ decorate });
  });
  afterAll(() => own?.close());

  it('whose process died before its job was in the queue is put there when it is asked for again', async () => {
    dies = 'enqueue';
    const data = { n: 1, note: randomUUID() };
    const first = await own.bus.request({ type, data });
    await own.bus.outcomeOf(first, 'completed');
    expect(dies).toBeUndefined();
    const second = await own.bus.outcomeOf(await own.bus.request({ type, data }), 'duplicate');
    expect(second.data.result).toEqual({ n: 1 });
  });

  it('whose process died before it was overruled does not become a job', async () => {
    const parts = { type, data: { n: 2 }, idempotencyKey: randomUUID() };
    const first = await own.bus.outcomeOf(await own.bus.request(parts), 'completed');
    dies = 'after claim';
    const second = await own.bus.request(parts);
    const { data } = await own.bus.outcomeOf(second);
    expect(dies).toBeUndefined();
    expect(data).toMatchObject({ outcome: 'duplicate', jobId: first.data.jobId, result: { n: 2 } });
  });

  it('of a request that was refused does not become a job when it comes again', async () => {
    const parts = { type, data: { n: 3 }, idempotencyKey: randomUUID() };
    await own.bus.outcomeOf(await own.bus.request(parts), 'completed');
    const conflict = jobRequestEvent({ ...parts, data: { n: 4 } });
    const publish = () => own.bus.publish(EXCHANGES.requests, `${tier}.${type}`, JSON.stringify(conflict));
    await publish();
    await own.bus.outcomeOf(conflict.id, 'rejected');
    // The key is free by now.
    await own.environment.pool.query('DELETE FROM idempotency_keys');
    dies = 'after claim';
    await publish();
    await own.bus.outcomeOf(await own.bus.request({ type, data: { n: 5, note: randomUUID() } }), 'completed');
    expect(dies).toBeUndefined();
    expect(own.bus.outcomesOf(conflict.id).map(({ data }) => data.outcome)).toEqual(['rejected']);
  });
});

describe.each(LOWER_TIERS)('a claim of the %s tier that another process meets before it is confirmed', (tier) => {
  let own: Harness;
  let api: ApiClient;
  const issuer = new TokenIssuer();
  const type = `canary-${tier}`;
  const pool = () => own.environment.pool;
  /** What the slow process waits for after it has claimed. */
  let slow: Pause | undefined;

  beforeAll(async () => {
    own = await openHarness();
    const decorate = around({
      claim: async (run) => {
        const answer = await run();
        const waits = slow;
        slow = undefined;
        waits?.reached.open();
        await waits?.goOn.opened;
        return answer;
      },
    });
    await own.startService({ decorate }, undefined, { ROLES: 'consumer' });
    const variables = { ROLES: 'api,worker,relay,scheduler', JWT_PUBLIC_KEY: issuer.publicKey };
    api = new ApiClient(addressOf(await own.startService({}, undefined, variables)));
  });
  afterAll(() => own?.close());

  const post = (data: Record<string, unknown>) =>
    api.post('/jobs', { token: issuer.token('service'), json: { type, data } });

  it('is not its job to run when the first one is going to take it back', async () => {
    const id = randomUUID();
    const data = { n: 2, note: randomUUID() };
    await own.bus.outcomeOf(await own.bus.request({ id, type, data: { n: 1, note: randomUUID() } }), 'completed');
    const reused = JSON.stringify(jobRequestEvent({ id, type, data }));
    const publish = () => own.bus.publish(EXCHANGES.requests, `${tier}.${type}`, reused);
    await publish();
    await own.bus.outcomeOf(id, 'rejected');
    // Only the refusal is left of it.
    await pool().query('DELETE FROM idempotency_keys');

    const waits: Pause = { reached: gate(), goOn: gate() };
    slow = waits;
    await publish();
    await waits.reached.opened;
    const answer = await post(data);
    waits.goOn.open();

    expect(answer).toMatchObject({ status: 201 });
    const { jobId } = answer.body as { jobId: string };
    const outcome = await eventually('its outcome', () => own.bus.outcomes.find(({ subject }) => subject === jobId));
    expect(outcome.data).toMatchObject({ outcome: 'completed', result: { n: 2 } });
    const seen = async () => (await pool().query('SELECT seen FROM dead_letter_jobs WHERE seen = 2')).rowCount === 1;
    await eventually('the refused one is refused again', seen);
    expect(own.bus.outcomesOf(id).map(({ data: { outcome: name } }) => name)).toEqual(['completed', 'rejected']);
  });

  it('is a job once the other one has answered for it, and is not taken back', async () => {
    const data = { n: 3, note: randomUUID() };
    await own.bus.outcomeOf(await own.bus.request({ type, data }), 'completed');
    const waits: Pause = { reached: gate(), goOn: gate() };
    slow = waits;
    const id = await own.bus.request({ type, data, options: { delay: 3_600_000 } });
    await waits.reached.opened;
    // The key's time is over for the second process, and not for the first one.
    const move = (by: string) =>
      pool().query('UPDATE idempotency_keys SET expires_at = expires_at + $1::interval', [by]);
    await move('-30 days');
    const answer = await post(data);
    await move('30 days');
    waits.goOn.open();

    expect(answer).toMatchObject({ status: 200, body: { status: 'duplicate' } });
    const { jobId } = answer.body as { jobId: string };
    await own.bus.outcomeOf(await own.bus.request({ type, data: { n: 4, note: randomUUID() } }), 'completed');
    const read = await api.get(`/jobs/${jobId}`, { token: issuer.token('admin') });
    expect(read).toMatchObject({ status: 200, body: { id: jobId, data } });
    expect(own.bus.outcomesOf(id)).toEqual([]);
  });
});

interface Pause {
  reached: ReturnType<typeof gate<void>>;
  goOn: ReturnType<typeof gate<void>>;
}
