import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { LOWER_TIERS } from '../../../src/contract/names';
import { decide } from '../../../src/execution/decide';
import { Settler, type SettleSteps } from '../../../src/execution/settler';
import type { Claim } from '../../../src/jobs/claim';
import { recordDeadLetters } from '../../../src/jobs/dead-letters';
import { readEffects } from '../../../src/jobs/effects';
import type { Settlement } from '../../../src/jobs/settle';
import type { StartedJob } from '../../../src/jobs/start';
import { readBooks } from '../../../src/jobs/volatile/books';
import { VolatileAttempts } from '../../../src/jobs/volatile/attempts';
import { appendVolatileFacts, beginVolatileEffects } from '../../../src/jobs/volatile/effects';
import { VolatileJobs } from '../../../src/jobs/volatile/store';
import { appendToOutbox } from '../../../src/outbox/rows';
import type { Database } from '../../../src/platform/postgres/database';
import { openGuard } from '../../support/guard';
import { openHarness, type Harness } from '../../support/harness';
import { claimOf, effectOf, lines, openDatabase, settlementOf, silentLog } from '../../support/records';

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
  const { queueName, keepMs } = QUEUE_POLICIES[tier];
  const options = { queueName, instance: 'test', keepMs };

  beforeAll(() => {
    jobs = new VolatileJobs(harness.environment.lowerRedis[tier], tier, `${prefix()}:{${tier}}`);
    attempts = new VolatileAttempts(jobs, database, options);
  });

  async function claim(over: Partial<Claim> = {}): Promise<Claim> {
    const claimed = claimOf({ queueName: QUEUE_POLICIES[tier].queueName, jobType: `canary-${tier}`, ...over });
    expect(await jobs.claim([claimed])).toEqual([undefined]);
    return claimed;
  }

  const requestOf = ({ jobId }: Claim) => ({ jobId, generation: 1, dispatch: 1, token: randomUUID() });
  const start = (claimed: Claim) => attempts.start([requestOf(claimed)]);
  const redis = () => harness.environment.lowerRedis[tier];
  const keysOf = ({ jobId, requestKey, liveKey }: Claim) =>
    [`job:${jobId}`, `request:${requestKey}`, `key:${liveKey}`].map((key) => `${prefix()}:{${tier}}:${key}`);
  const takeOver = (claimed: Claim) => attempts.startExceptional(requestOf(claimed), true);
  const settle = (job: StartedJob | undefined) =>
    database.transaction((tx) => attempts.settle(tx, job ? [{ job, settlement: settlementOf(job) }] : []));
  const putBack = (job: StartedJob | undefined, over: Partial<Settlement> = {}) =>
    attempts.putBack(job ? [{ job, settlement: settlementOf(job, { ...RETRY, ...over }) }] : []);

  function openSettler(over: Partial<SettleSteps> = {}): Settler {
    const steps: SettleSteps = {
      transaction: (work) => database.transaction(work),
      appendFacts: appendVolatileFacts,
      settle: (tx, ends) => attempts.settle(tx, ends),
      putBack: (ends) => attempts.putBack(ends),
      lines,
      takeFollowers: () => Promise.resolve([]),
      recordDeadLetters,
      append: appendToOutbox,
      wasSettledBy: (jobId, token) => attempts.wasSettledBy(jobId, token),
      tidyUp: (ends) => attempts.forget(ends),
      signal: () => undefined,
      ...over,
    };
    return new Settler(steps, silentLog, 200);
  }

  it('is under way once: it is not started again before it was put back', async () => {
    const claimed = await claim();
    const [first] = await start(claimed);
    expect(await start(claimed)).toEqual([]);
    expect(await putBack(first)).toHaveLength(1);
    expect(await start(claimed)).toHaveLength(1);
  });

  it('is no suspect because answers to its starts were lost, which its process can tell are its own', async () => {
    const claimed = await claim();
    const guard = openGuard(attempts, 2);
    await expect(guard.admit(requestOf(claimed))).rejects.toThrow('lost');
    await expect(guard.admit(requestOf(claimed))).rejects.toThrow('lost');
    expect(await guard.admit(requestOf(claimed))).toMatchObject({ kind: 'started', job: { fresh: true } });

    const suspected = openGuard(attempts, 3);
    for (const _ of [1, 2, 3]) {
      await expect(suspected.startExceptional(requestOf(claimed), true)).rejects.toThrow('lost');
    }
    expect(await suspected.startExceptional(requestOf(claimed), true)).toMatchObject({ fresh: false });
    expect(await attempts.readUnstarted(claimed.jobId)).toMatchObject({ suspect: true, suspectStarts: 1 });
  });

  it('stays as suspect as it was when PostgreSQL could not say whether it had ended, and is started anew', async () => {
    const claimed = await claim();
    const away = openDatabase('postgres://nobody@127.0.0.1:1/nothing');
    const guard = openGuard(new VolatileAttempts(jobs, away, options));
    const standing = () => attempts.readUnstarted(claimed.jobId);
    await expect(guard.admit(requestOf(claimed))).rejects.toThrow('taken back');
    expect(await standing()).toMatchObject({ suspect: false });

    await start(claimed);
    await takeOver(claimed);
    for (const counted of [true, false, true]) {
      await expect(guard.startExceptional(requestOf(claimed), counted)).rejects.toThrow('taken back');
      expect(await standing()).toMatchObject({ status: 'pending', suspect: true, suspectStarts: 1 });
    }
    expect(await takeOver(claimed)).toMatchObject({ fresh: false });
    expect(await standing()).toMatchObject({ suspectStarts: 2 });
    await away.close();
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
    expect(await putBack(overtaken)).toEqual([]);
    expect(await settle(current)).toHaveLength(1);
  });

  it('ends once, also when its Redis has forgotten who holds it', async () => {
    const claimed = await claim();
    const [overtaken] = await start(claimed);
    const current = await takeOver(claimed);
    await redis().del(...keysOf(claimed));
    expect(await settle(current)).toHaveLength(1);
    expect(await settle(overtaken)).toEqual([]);
  });

  it('remembers the attempts that it has spent', async () => {
    const claimed = await claim();
    const [first] = await start(claimed);
    await putBack(first, { attempts: 1, sequence: 4 });
    expect(await start(claimed)).toMatchObject([{ attempts: 1, sequence: 4, fresh: false }]);
  });

  it('is put back only when what its attempt found out is committed', async () => {
    const claimed = await claim();
    const [job] = await start(claimed);
    if (!job) throw new Error('not started');
    const decision = decide(
      job,
      { kind: 'handedBack' },
      { anyUncertain: false, anyHappened: true, anyMissing: false },
      new Date(),
    );
    const fact = { name: 'charge', number: 1, state: 'done', reference: 'm', value: 1 } as const;
    const { jobId, token } = job;
    await beginVolatileEffects(jobs, database, [effectOf(job)]);
    const early: StartedJob[][] = [];
    const settler = openSettler({
      transaction: (work) =>
        database.transaction(async (tx) => {
          const value = await work(tx);
          early.push(await start(claimed));
          return value;
        }),
    });
    const ending = { job, decision, facts: [{ ...fact, jobId, token }] };
    expect(await settler.settle(ending)).toBe('toPutBack');
    expect(await settler.putBack(ending)).toBe('settled');
    expect(early).toEqual([[]]);
    expect(await start(claimed)).toMatchObject([{ jobId, attempts: 0, fresh: false }]);
    expect(await readEffects(database, jobId)).toMatchObject([{ state: 'done', reference: 'm' }]);
  });

  it('takes nothing along that is another’s when it is forgotten', async () => {
    const old = await claim();
    const [, , key = ''] = keysOf(old);
    await redis().del(key);
    const young = await claim({ liveKey: old.liveKey });
    await jobs.forget([old]);
    const [standing] = await jobs.claim([claimOf({ liveKey: old.liveKey })]);
    expect(standing?.jobId).toBe(young.jobId);
  });

  it('is remembered while it runs and until it is tried again, though nobody said that it is queued', async () => {
    const claimed = await claim();
    const lives = () => Promise.all(keysOf(claimed).map((key) => redis().pttl(key)));
    const [first] = await start(claimed);
    expect(Math.min(...(await lives()))).toBeGreaterThan(HOUR_MS);
    await putBack(first, { retryInMs: 30 * DAY_MS });
    expect(Math.min(...(await lives()))).toBeGreaterThan(30 * DAY_MS);
    await attempts.startExceptional(requestOf(claimed), false);
    expect(Math.min(...(await lives()))).toBeGreaterThan(30 * DAY_MS - HOUR_MS);
  });

  it('that is to run in a month is remembered until then, whoever else asks for it meanwhile', async () => {
    const claimed = await claim({ delayMs: 30 * DAY_MS });
    const lives = () => Promise.all(keysOf(claimed).map((key) => redis().pttl(key)));
    await jobs.confirm([claimed]);
    expect(Math.min(...(await lives()))).toBeGreaterThan(30 * DAY_MS - HOUR_MS);
    // Another request with its key, which would not have waited, finds it.
    const { jobId } = claimed;
    await jobs.prolong([{ jobId }]);
    expect(Math.min(...(await lives()))).toBeGreaterThan(37 * DAY_MS - HOUR_MS);
  });

  it('that an older build took in is kept, found, run and forgotten all the same', async () => {
    const claimed = await claim();
    const [job = ''] = keysOf(claimed);
    const { rejectionKey: _absent, ...older } = z
      .looseObject({})
      .parse(JSON.parse((await redis().hget(job, 'record')) ?? ''));
    await redis().hset(job, 'record', JSON.stringify(older));
    await redis().hdel(job, 'request', 'key', 'expiresAt');

    const [standing] = await jobs.claim([claimOf({ liveKey: claimed.liveKey })]);
    expect(standing).toMatchObject({ jobId: claimed.jobId, rejectionKey: undefined });
    expect(await jobs.confirm([claimed])).toEqual([true]);
    expect((await jobs.prolong([claimed])).remembered).toEqual([true]);
    expect(await attempts.readUnstarted(claimed.jobId)).toMatchObject({ suspect: false, expired: false });
    const [started] = await start(claimed);
    expect(await putBack(started)).toHaveLength(1);
    await jobs.forget([claimed]);
    expect(await jobs.areOpen([claimed.jobId])).toEqual([false]);
  });

  it('whose claim was confirmed by one process is not taken back by another', async () => {
    const claimed = await claim();
    expect(await jobs.confirm([claimed])).toEqual([true]);
    expect(await jobs.release([claimed])).toEqual([false]);
    expect(await start(claimed)).toHaveLength(1);
    expect(await jobs.release([claimOf()])).toEqual([false]);
  });

  it('is counted once, also when whoever queued it died before it could say so', async () => {
    const accepted = async (): Promise<number> =>
      (await readBooks(redis(), `${prefix()}:{${tier}}`)).reduce((sum, book) => sum + book.accepted, 0);
    const before = await accepted();
    const [told, untold] = [await claim(), await claim()];
    await jobs.prolong([told]);
    await jobs.prolong([told]);
    await start(told);
    expect(await accepted()).toBe(before + 1);
    const [job] = await start(untold);
    await putBack(job, { retryInMs: 0 });
    await start(untold);
    expect(await accepted()).toBe(before + 2);
  });

  it('that has expired is not run because a process died over its end', async () => {
    const claimed = await claim({ expiresAt: new Date(Date.now() - 1_000).toISOString() });
    expect(await start(claimed)).toEqual([]);
    expect(await attempts.startExceptional(requestOf(claimed), false)).toMatchObject({ startedAt: undefined });
    expect(await attempts.readUnstarted(claimed.jobId)).toMatchObject({ expired: true });
  });
});

const prefix = (): string => harness.environment.variables['QUEUE_PREFIX'] ?? '';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
const RETRY: Partial<Settlement> = { status: 'pending', finishedAt: undefined, retryInMs: 0 };
