import { randomUUID } from 'node:crypto';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { LOWER_TIERS } from '../../../src/contract/names';
import { readEffects, type EffectStart } from '../../../src/jobs/effects';
import type { StartedJob } from '../../../src/jobs/start';
import { VolatileAttempts } from '../../../src/jobs/volatile/attempts';
import { appendVolatileFacts, beginVolatileEffects } from '../../../src/jobs/volatile/effects';
import { VolatileJobs } from '../../../src/jobs/volatile/store';
import type { Database } from '../../../src/platform/postgres/database';
import { isUnavailable } from '../../../src/platform/postgres/errors';
import { connectRedis } from '../../../src/platform/redis';
import { openHarness, type Harness } from '../../support/harness';
import { claimOf, effectOf, openDatabase, settlementOf, silentLog } from '../../support/records';

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

describe.each(LOWER_TIERS)('an effect of the %s tier', (tier) => {
  let jobs: VolatileJobs;
  let attempts: VolatileAttempts;

  beforeAll(() => {
    jobs = new VolatileJobs(harness.environment.lowerRedis[tier], tier, `effects:{${tier}}`);
    const { queueName, keepMs } = QUEUE_POLICIES[tier];
    attempts = new VolatileAttempts(jobs, database, { queueName, instance: 'test', keepMs });
  });

  const begin = (...starts: EffectStart[]) => beginVolatileEffects(jobs, database, starts);

  /** Two attempts of one job: the second one has taken it over. */
  async function overtaken(): Promise<{ first: StartedJob; second: StartedJob }> {
    const claimed = claimOf({ queueName: QUEUE_POLICIES[tier].queueName, jobType: `canary-${tier}` });
    await jobs.claim([claimed]);
    const request = () => ({ jobId: claimed.jobId, generation: 1, dispatch: 1, token: randomUUID() });
    const [first] = await attempts.start([request()]);
    const second = await attempts.startExceptional(request(), true);
    if (!first || !second) throw new Error('not started');
    return { first, second };
  }

  it('is begun by the attempt that holds the job', async () => {
    const { first, second } = await overtaken();
    expect(await begin(effectOf(first), effectOf(second))).toEqual(['fenced', 'begun']);
  });

  it('is begun by one of two attempts that both seem to hold the job: Redis has lost it', async () => {
    const { first, second } = await overtaken();
    await jobs.forget([first]);
    expect((await begin(effectOf(first), effectOf(second))).toSorted()).toEqual(['begun', 'fenced']);
    expect(await begin(effectOf(second))).toEqual(['fenced']);
    expect(await readEffects(database, first.jobId)).toMatchObject([{ number: 1, calls: 1 }]);
  });

  it('is begun by one of two attempts where the job is taken over after the first one has asked', async () => {
    const { first, second } = await overtaken();
    const asked = new Proxy(jobs, {
      get: (target, name) =>
        name === 'holds'
          ? async (wanted: EffectStart[]) => {
              expect(await begin(effectOf(second))).toEqual(['begun']);
              return wanted.map(() => true);
            }
          : Reflect.get(target, name),
    });
    expect(await beginVolatileEffects(asked, database, [effectOf(first)])).toEqual(['fenced']);
    expect(await readEffects(database, first.jobId)).toMatchObject([{ number: 1, calls: 1 }]);
  });

  it('waits for the Redis of its job, as it does for PostgreSQL', async () => {
    const { second } = await overtaken();
    const nowhere = connectRedis('redis://127.0.0.1:1', silentLog);
    const asking = beginVolatileEffects(new VolatileJobs(nowhere, tier, `effects:{${tier}}`), database, [
      effectOf(second),
    ]);
    expect(isUnavailable(await asking.catch((error: unknown) => error))).toBe(true);
    nowhere.disconnect();
    expect(await readEffects(database, second.jobId)).toEqual([]);
  });

  it('is begun again by who knows that it was begun before', async () => {
    const { second } = await overtaken();
    await begin(effectOf(second));
    expect(await begin(effectOf(second, { callsBefore: 1 }))).toEqual(['begun']);
    expect(await begin(effectOf(second, { callsBefore: 1 }))).toEqual(['fenced']);
    expect(await readEffects(database, second.jobId)).toMatchObject([{ number: 1, calls: 2 }]);
  });

  it('is not begun any more when the job has ended, or when it is known to have happened', async () => {
    const { first, second } = await overtaken();
    await begin(effectOf(second));
    const { jobId, token } = second;
    const fact = { jobId, token, name: 'charge', number: 1, state: 'done', reference: 'm', value: 1 } as const;
    await appendVolatileFacts(database, [fact]);
    await jobs.forget([first]);
    expect(await begin(effectOf(first, { callsBefore: 1 }))).toEqual(['fenced']);

    await database.transaction((tx) => attempts.settle(tx, [{ job: second, settlement: settlementOf(second) }]));
    expect(await begin(effectOf(first, { number: 2 }))).toEqual(['fenced']);
    expect(await readEffects(database, jobId)).toMatchObject([{ number: 1, state: 'done' }]);
  });

  it('takes from an overtaken attempt that it happened, but not that it did not', async () => {
    const { first, second } = await overtaken();
    await begin(effectOf(second));
    const { jobId, token } = first;
    const fact = { jobId, token, name: 'charge', number: 1, reference: undefined, value: undefined } as const;
    await appendVolatileFacts(database, [{ ...fact, state: 'absent' }]);
    expect(await readEffects(database, jobId)).toMatchObject([{ state: 'started' }]);
    await appendVolatileFacts(database, [{ ...fact, state: 'done', reference: 'm' }]);
    await appendVolatileFacts(database, [{ ...fact, token: second.token, state: 'absent' }]);
    expect(await readEffects(database, jobId)).toMatchObject([{ state: 'done', reference: 'm' }]);
  });
});
