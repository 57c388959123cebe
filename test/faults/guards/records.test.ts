import { randomUUID } from 'node:crypto';
import { Guard } from '../../../src/execution/guard';
import { SuspectLane } from '../../../src/execution/suspects';
import { lockForDecision, requestCancel } from '../../../src/jobs/cancel';
import { markNotQueued } from '../../../src/jobs/claim';
import { raiseDispatch, readOpenDispatched } from '../../../src/jobs/dispatch';
import { beginEffects, readEffects } from '../../../src/jobs/effects';
import { settleJobs, type Settlement } from '../../../src/jobs/settle';
import { readUnstarted, startExceptional, startJobs, type StartedJob } from '../../../src/jobs/start';
import type { Database } from '../../../src/platform/postgres/database';
import { openHarness, type Harness } from '../../support/harness';
import { claimJob, openDatabase, startOne } from '../../support/records';

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

describe('the record of a job', () => {
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

  const settle = (settlement: Settlement) => database.transaction((tx) => settleJobs(tx, [settlement]));

  it('starts for its latest dispatch only', async () => {
    const request = await claimJob(database);
    const [raised] = await raiseDispatch(database, [request]);
    expect(raised).toMatchObject({ jobId: request.jobId, dispatch: 2 });
    expect(await startJobs(database, [request], 'test')).toEqual([]);
    expect(await startJobs(database, [{ ...request, dispatch: 2 }], 'test')).toHaveLength(1);
  });

  it('is handed to Redis under a new number each time', async () => {
    const request = await claimJob(database);
    const [second] = await raiseDispatch(database, [request]);
    const [third] = await raiseDispatch(database, second ? [second] : []);
    expect([second?.dispatch, third?.dispatch]).toEqual([2, 3]);
    expect(await raiseDispatch(database, [request])).toEqual([]);
  });

  it('is looked for in Redis once its worker has died, though Redis was thought to have refused it', async () => {
    const request = await claimJob(database);
    await markNotQueued(database, [request.jobId]);
    await startOne(database, request);
    const everything = { after: FIRST_ID, limit: 100, overdueByMs: null };
    const idsOf = async (dead: string[]): Promise<string[]> =>
      (await readOpenDispatched(database, everything, dead)).map(({ jobId }) => jobId);
    expect(await idsOf(['another'])).not.toContain(request.jobId);
    expect(await idsOf(['test'])).toContain(request.jobId);
  });

  it('does not start again once it has ended', async () => {
    const request = await claimJob(database);
    await settle(completed(await startOne(database, request)));
    expect(await startJobs(database, [{ ...request, token: randomUUID() }], 'test')).toEqual([]);
  });

  it('is decided about by the holder of its token only', async () => {
    const request = await claimJob(database);
    const overtaken = await startOne(database, request);
    const current = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    expect(await settle(completed(overtaken))).toEqual([]);
    expect(current && (await settle(completed(current)))).toHaveLength(1);
  });

  it('is not taken for poison because of attempts that were overtaken and came to an end', async () => {
    const request = await claimJob(database);
    await startOne(database, request);
    const overtaken = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    expect((await readUnstarted(database, request.jobId))?.suspectStarts).toBe(2);
    expect(overtaken && (await settle(completed(overtaken)))).toEqual([]);
    expect((await readUnstarted(database, request.jobId))?.suspectStarts).toBe(1);
  });

  it('that has expired is not run because a process died over its end', async () => {
    const request = await claimJob(database, { expiresAt: new Date(Date.now() - 1_000).toISOString() });
    const guard = guardOf(database);
    expect(await guard.admit(request)).toEqual({ kind: 'toEnd', end: 'expired' });
    expect(await guard.startExceptional(request, false)).toMatchObject({ startedAt: undefined });
    expect(await guard.admit(request)).toEqual({ kind: 'toEnd', end: 'expired' });
  });

  it('begins no effect after its cancellation was asked for', async () => {
    const job = await startOne(database, await claimJob(database));
    await database.transaction(async (tx) => {
      await lockForDecision(tx, job.jobId);
      await requestCancel(tx, job.jobId);
    });
    const start = {
      jobId: job.jobId,
      token: job.token,
      name: 'charge',
      number: 1,
      generation: 1,
      providerKey: `${job.jobId}:charge:1`,
      intent: {},
      timeoutMs: 1_000,
    };
    expect(await beginEffects(database, [start])).toEqual(['cancelled']);
    expect(await readEffects(database, job.jobId)).toEqual([]);
  });

  it('is poison after three starts of which none came to an end', async () => {
    const request = await claimJob(database);
    const guard = guardOf(database);
    expect(await guard.admit(request)).toMatchObject({ kind: 'started' });
    for (let start = 1; start <= 3; start += 1) {
      expect(await guard.admit(request)).toEqual({ kind: 'suspect' });
      await guard.startExceptional(request, true);
    }
    expect(await guard.admit(request)).toEqual({ kind: 'toEnd', end: 'poisonous' });
  });
});

function guardOf(database: Database): Guard {
  return new Guard(
    {
      start: (requests) => startJobs(database, requests, 'test'),
      readUnstarted: (jobId) => readUnstarted(database, jobId),
      startExceptional: (start, counted) => startExceptional(database, start, 'test', counted),
    },
    randomUUID,
    new SuspectLane(),
    10,
  );
}

function completed(job: StartedJob): Settlement {
  return {
    jobId: job.jobId,
    token: job.token,
    status: 'completed',
    result: { n: 1 },
    error: null,
    reason: 'DONE',
    attempts: 1,
    retryInMs: 0,
    sequence: 1,
    releaseKey: false,
    finishedAt: new Date(),
  };
}
