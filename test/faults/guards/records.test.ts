import { randomUUID } from 'node:crypto';
import type { Guard } from '../../../src/execution/guard';
import { lockForDecision, requestCancel } from '../../../src/jobs/cancel';
import { markNotQueued } from '../../../src/jobs/claim';
import { raiseDispatch, readOpenDispatched } from '../../../src/jobs/dispatch';
import { beginEffects, readEffects } from '../../../src/jobs/effects';
import { settleJobs, type Settlement } from '../../../src/jobs/settle';
import { readUnstarted, startExceptional, startJobs, type StartedJob } from '../../../src/jobs/start';
import type { Database } from '../../../src/platform/postgres/database';
import { openHarness, type Harness } from '../../support/harness';
import { openGuard } from '../../support/guard';
import { claimJob, effectOf, openDatabase, settlementOf, startOne } from '../../support/records';

const PENDING = { status: 'pending', result: null, finishedAt: undefined } as const;
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
    await settle(settlementOf(await startOne(database, request)));
    expect(await startJobs(database, [{ ...request, token: randomUUID() }], 'test')).toEqual([]);
  });

  it('is decided about by the holder of its token only', async () => {
    const request = await claimJob(database);
    const overtaken = await startOne(database, request);
    const current = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    expect(await settle(settlementOf(overtaken))).toEqual([]);
    expect(current && (await settle(settlementOf(current)))).toHaveLength(1);
  });

  it('is not taken for poison because of attempts that were overtaken and came to an end', async () => {
    const request = await claimJob(database);
    await startOne(database, request);
    const overtaken = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    expect((await readUnstarted(database, request.jobId))?.suspectStarts).toBe(2);
    expect(overtaken && (await settle(settlementOf(overtaken)))).toEqual([]);
    expect((await readUnstarted(database, request.jobId))?.suspectStarts).toBe(1);
  });

  it('stays as suspect as it was when a start is taken back under which nothing ran', async () => {
    const request = await claimJob(database);
    const again = () => ({ ...request, token: randomUUID() });
    const takeBack = (job: StartedJob | undefined, suspectStarts: 0 | 1) =>
      job && settle(settlementOf(job, { ...PENDING, takenBack: { suspectStarts } }));

    await takeBack(await startOne(database, request), 0);
    expect(await readUnstarted(database, request.jobId)).toMatchObject({ suspect: false });
    expect(await startOne(database, again())).toMatchObject({ fresh: true });

    await startExceptional(database, again(), 'test', true);
    await takeBack(await startExceptional(database, again(), 'test', true), 1);
    await takeBack(await startExceptional(database, again(), 'test', false), 0);
    expect(await readUnstarted(database, request.jobId)).toMatchObject({ suspect: true, suspectStarts: 1 });
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
    expect(await beginEffects(database, [effectOf(job)])).toEqual(['cancelled']);
    expect(await readEffects(database, job.jobId)).toEqual([]);
  });

  it('is no suspect because answers to its starts were lost, which its process can tell are its own', async () => {
    const request = await claimJob(database);
    const guard = guardOf(database, 2);
    await expect(guard.admit(request)).rejects.toThrow('lost');
    await expect(guard.admit(request)).rejects.toThrow('lost');
    expect(await guard.admit(request)).toMatchObject({ kind: 'started', job: { fresh: true } });

    const suspected = guardOf(database, 4);
    await expect(suspected.admit(request)).rejects.toThrow('lost');
    for (const _ of [1, 2, 3]) await expect(suspected.startExceptional(request, true)).rejects.toThrow('lost');
    expect(await suspected.startExceptional(request, true)).toMatchObject({ fresh: false });
    expect(await readUnstarted(database, request.jobId)).toMatchObject({ suspectStarts: 1 });
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

/** @param lost so many answers to starts that took effect do not arrive */
function guardOf(database: Database, lost = 0): Guard {
  return openGuard(
    {
      start: (requests) => startJobs(database, requests, 'test'),
      readUnstarted: (jobId) => readUnstarted(database, jobId),
      startExceptional: (start, counted) => startExceptional(database, start, 'test', counted),
    },
    lost,
  );
}
