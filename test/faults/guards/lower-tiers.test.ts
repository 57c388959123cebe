import { randomUUID } from 'node:crypto';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { EXCHANGES, LOWER_TIERS } from '../../../src/contract/names';
import type { Claim } from '../../../src/jobs/claim';
import type { Settlement } from '../../../src/jobs/settle';
import type { StartedJob } from '../../../src/jobs/start';
import { VolatileAttempts } from '../../../src/jobs/volatile/attempts';
import { VolatileJobs } from '../../../src/jobs/volatile/store';
import type { Database } from '../../../src/platform/postgres/database';
import { around } from '../../support/around';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, gate, jobRequestEvent, openHarness, type Harness } from '../../support/harness';
import { claimOf, openDatabase } from '../../support/records';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let database: Database;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

describe.each(LOWER_TIERS)('a job of the %s tier', (tier) => {
  let jobs: VolatileJobs;
  let attempts: VolatileAttempts;

  beforeAll(() => {
    jobs = new VolatileJobs(harness.environment.lowerRedis[tier], tier, `${prefix()}:{${tier}}`);
    const { queueName, keepMs } = QUEUE_POLICIES[tier];
    attempts = new VolatileAttempts(jobs, database, { queueName, instance: 'test', keepMs });
  });

  async function claim(over: Partial<Claim> = {}): Promise<Claim> {
    const claimed = claimOf({ queueName: QUEUE_POLICIES[tier].queueName, jobType: `canary-${tier}`, ...over });
    expect(await jobs.claim([claimed])).toEqual([undefined]);
    return claimed;
  }

  const requestOf = ({ jobId }: Claim) => ({ jobId, generation: 1, dispatch: 1, token: randomUUID() });
  const start = (claimed: Claim) => attempts.start([requestOf(claimed)]);
  const takeOver = (claimed: Claim) => attempts.startExceptional(requestOf(claimed), true);
  const settle = (job: StartedJob | undefined, over: Partial<Settlement> = {}) =>
    database.transaction((tx) => attempts.settle(tx, job ? [{ job, settlement: settlementOf(job, over) }] : []));

  it('is under way once: it is not started again before it was put back', async () => {
    const claimed = await claim();
    const [first] = await start(claimed);
    expect(await start(claimed)).toEqual([]);
    expect(await settle(first, RETRY)).toHaveLength(1);
    expect(await start(claimed)).toHaveLength(1);
  });

  it('that has ended is not started again, though its Redis still holds it', async () => {
    const claimed = await claim();
    const [job] = await start(claimed);
    expect(await settle(job)).toHaveLength(1);
    expect(await takeOver(claimed)).toBeUndefined();
    expect(await jobs.claim([claimOf({ liveKey: claimed.liveKey })])).toEqual([undefined]);
  });

  it('is ended by the holder of its token only', async () => {
    const claimed = await claim();
    const [overtaken] = await start(claimed);
    const current = await takeOver(claimed);
    expect(await settle(overtaken)).toEqual([]);
    expect(await settle(current)).toHaveLength(1);
  });

  it('is put back by the holder of its token only', async () => {
    const claimed = await claim();
    const [overtaken] = await start(claimed);
    const current = await takeOver(claimed);
    expect(await settle(overtaken, RETRY)).toEqual([]);
    expect(await settle(current)).toHaveLength(1);
  });

  it('ends once, also when its Redis has forgotten who holds it', async () => {
    const claimed = await claim();
    const [overtaken] = await start(claimed);
    const current = await takeOver(claimed);
    await harness.environment.lowerRedis[tier].del(`${prefix()}:{${tier}}:job:${claimed.jobId}`);
    expect(await settle(current)).toHaveLength(1);
    expect(await settle(overtaken)).toEqual([]);
  });

  it('remembers the attempts that it has spent', async () => {
    const claimed = await claim();
    const [first] = await start(claimed);
    await settle(first, { ...RETRY, attempts: 1, sequence: 4 });
    expect(await start(claimed)).toMatchObject([{ attempts: 1, sequence: 4, fresh: false }]);
  });

  it('takes nothing along that is another’s when it is forgotten', async () => {
    const old = await claim();
    await jobs.forget([old]);
    const young = await claim({ liveKey: old.liveKey });
    await jobs.forget([old]);
    const [standing] = await jobs.claim([claimOf({ liveKey: old.liveKey })]);
    expect(standing?.jobId).toBe(young.jobId);
  });

  it('whose claim was confirmed by one process is not taken back by another', async () => {
    const claimed = await claim();
    expect(await jobs.confirm([claimed])).toEqual(['now']);
    expect(await jobs.confirm([claimed])).toEqual(['before']);
    expect(await jobs.release([claimed])).toEqual([false]);
    expect(await start(claimed)).toHaveLength(1);
    expect(await jobs.release([claimOf()])).toEqual([false]);
  });

  it('that has expired is not run because a process died over its end', async () => {
    const claimed = await claim({ expiresAt: new Date(Date.now() - 1_000).toISOString() });
    expect(await start(claimed)).toEqual([]);
    expect(await attempts.startExceptional(requestOf(claimed), false)).toMatchObject({ startedAt: undefined });
    expect(await attempts.readUnstarted(claimed.jobId)).toMatchObject({ expired: true });
  });
});

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

const prefix = (): string => harness.environment.variables['QUEUE_PREFIX'] ?? '';

const RETRY: Partial<Settlement> = { status: 'pending', finishedAt: undefined, retryInMs: 0 };

function settlementOf({ jobId, token }: StartedJob, over: Partial<Settlement>): Settlement {
  return {
    jobId,
    token,
    status: 'completed',
    result: { n: 1 },
    error: null,
    reason: 'DONE',
    attempts: 1,
    retryInMs: 0,
    sequence: 1,
    releaseKey: false,
    finishedAt: new Date(),
    ...over,
  };
}
