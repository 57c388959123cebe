import { randomUUID } from 'node:crypto';
import { Settler, type Ending, type SettleSteps } from '../../../src/execution/settler';
import { insertClaims, type Claim } from '../../../src/jobs/claim';
import { takeWaiting } from '../../../src/jobs/dispatch';
import { claimJobs } from '../../../src/jobs/ordered-claims';
import { deleteIdleKeys } from '../../../src/jobs/ordering-keys';
import { settleJobs } from '../../../src/jobs/settle';
import { readUnstarted, startExceptional, startJobs, type StartedJob } from '../../../src/jobs/start';
import type { Database } from '../../../src/platform/postgres/database';
import { UnavailableError } from '../../../src/platform/unavailable';
import { openGuard } from '../../support/guard';
import { gate, openHarness, type Harness } from '../../support/harness';
import { waitsForLock } from '../../support/locks';
import { claimOf, lines, openDatabase, settlementOf, settleSteps, silentLog } from '../../support/records';

describe('a line of jobs with one ordering key', () => {
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

  const pool = () => harness.environment.pool;
  const requestOf = ({ jobId }: Claim, dispatch = 1) => ({ jobId, generation: 1, dispatch, token: randomUUID() });

  /** Claims of one key, of which the first is its head. */
  async function lineOf(count: number): Promise<Claim[]> {
    const orderingKey = randomUUID();
    const claims = Array.from({ length: count }, () => claimOf({ orderingKey }));
    await claimJobs(database, claims);
    return claims;
  }

  async function start(claim: Claim | undefined): Promise<StartedJob> {
    const [job] = claim ? await startJobs(database, [requestOf(claim)], 'test') : [];
    if (!job) throw new Error('the job was not started');
    return job;
  }

  /** Ids of a line by place, the head first. */
  async function inLine(claims: Claim[]): Promise<unknown[]> {
    const { rows } = await pool().query<{ id: string }>(
      `SELECT id FROM critical_jobs WHERE ordering_key = $1 AND finished_at IS NULL ORDER BY waiting_rank NULLS FIRST`,
      [claims[0]?.orderingKey],
    );
    return rows.map(({ id }) => id);
  }

  const headOf = async (claim: Claim | undefined): Promise<unknown> =>
    (await pool().query('SELECT head_job_id FROM ordering_keys WHERE key = $1', [claim?.orderingKey])).rows[0];

  function ending(job: StartedJob, over: Parameters<typeof settlementOf>[1] = {}): Ending {
    return { job, decision: { settlement: settlementOf(job, over), outcome: undefined }, facts: [] };
  }

  function settler(over: Partial<SettleSteps> = {}): Settler {
    return new Settler(settleSteps(database, over), silentLog, 200);
  }

  /** One whose transaction stops before its claims are inserted, or before it commits, until it is told to go on. */
  function stoppedDatabase(before: 'claim' | 'commit') {
    const [stopped, resumed] = [gate(), gate()];
    const stop = (): Promise<void> => {
      stopped.open();
      return resumed.opened;
    };
    const stopping: Pick<Database, 'query' | 'transaction'> = {
      query: database.query.bind(database),
      transaction: (work) =>
        database.transaction(async (tx) => {
          const query: typeof tx.query = async (statement, values) => {
            if (before === 'claim' && statement.name === 'jobs-claim') await stop();
            return tx.query(statement, values);
          };
          const value = await work({ ...tx, query });
          if (before === 'commit') await stop();
          return value;
        }),
    };
    return { database: stopping, stopped: stopped.opened, goOn: resumed.open };
  }

  it('lets nobody start before it is his turn, whatever Redis holds', async () => {
    const [, second] = await lineOf(2);
    if (!second) throw new Error('no second');
    const guard = openGuard({
      start: (requests) => startJobs(database, requests, 'test'),
      readUnstarted: (jobId) => readUnstarted(database, jobId),
      startExceptional: (request, counted) => startExceptional(database, request, 'test', counted),
    });
    expect(await guard.admit(requestOf(second))).toEqual({ kind: 'stale', reason: 'out_of_turn' });
  });

  it('is fed to Redis by its head alone', async () => {
    const orderingKey = randomUUID();
    const claims = Array.from({ length: 3 }, () => claimOf({ orderingKey, queued: false }));
    await claimJobs(database, claims);
    const taken = (await takeWaiting(database, 100)).map(({ jobId }) => jobId);
    expect(taken.filter((id) => claims.some(({ jobId }) => jobId === id))).toEqual([claims[0]?.jobId]);
    expect(await takeWaiting(database, 100)).toEqual([]);
  });

  it('has the order in which the transactions of its claims took its lock', async () => {
    const orderingKey = randomUUID();
    const claims = Array.from({ length: 4 }, () => claimOf({ orderingKey }));
    const slow = stoppedDatabase('commit');
    const first = claimJobs(slow.database, claims.slice(0, 2));
    await slow.stopped;
    const second = claimJobs(database, claims.slice(2));
    await waitsForLock(pool());
    slow.goOn();
    await Promise.all([first, second]);
    expect(await inLine(claims)).toEqual(claims.map(({ jobId }) => jobId));
  });

  it('goes on with the end of its head, or not at all', async () => {
    const claims = await lineOf(3);
    const job = await start(claims[0]);
    let broken = 0;
    const handedOver: string[][] = [];
    const answer = await settler({
      transaction: (work) =>
        database.transaction(async (tx) => {
          const value = await work(tx);
          broken += 1;
          if (broken > 1) return value;
          expect(await headOf(claims[0])).toEqual({ head_job_id: claims[0]?.jobId });
          throw new UnavailableError('broken, as the test wants it');
        }),
      lines: { ...lines, handOver: (ids) => Promise.resolve(void handedOver.push(ids)) },
    }).settle(ending(job, { status: 'failed', releaseKey: true }));
    expect({ answer, broken, handedOver }).toEqual({ answer: 'settled', broken: 2, handedOver: [[claims[1]?.jobId]] });
    expect(await headOf(claims[0])).toEqual({ head_job_id: claims[1]?.jobId });
    expect(await inLine(claims)).toEqual([claims[1]?.jobId, claims[2]?.jobId]);
  });

  it.each(['in_doubt', 'pending'] as const)('stays behind a head that is %s', async (status) => {
    const claims = await lineOf(2);
    const answer = await settler().settle(ending(await start(claims[0]), { status, finishedAt: undefined }));
    expect(answer).toBe('settled');
    expect(await headOf(claims[0])).toEqual({ head_job_id: claims[0]?.jobId });
    expect(await inLine(claims)).toEqual(claims.map(({ jobId }) => jobId));
  });

  it('is taken before its jobs, so that an end and a new claim of its key do not block each other', async () => {
    const claims = await lineOf(1);
    const job = await start(claims[0]);
    const again = claimOf({ orderingKey: claims[0]?.orderingKey, liveKey: claims[0]?.liveKey ?? '' });
    const slow = stoppedDatabase('claim');
    const claiming = claimJobs(slow.database, [again]);
    await slow.stopped;
    let tries = 0;
    const settling = settler({
      transaction: (work) => {
        tries += 1;
        return database.transaction(work);
      },
    }).settle(ending(job, { status: 'failed', releaseKey: true }));
    await waitsForLock(pool());
    slow.goOn();
    expect(await settling).toBe('settled');
    expect((await claiming).jobIds.size).toBe(0);
    expect(tries).toBe(1);
  });

  it('is not left to a head that has ended, nor given two', async () => {
    const claims = await lineOf(2);
    const job = await start(claims[0]);
    const left = database.transaction((tx) => settleJobs(tx, [settlementOf(job)]));
    await expect(left).rejects.toThrow('COMMIT');
    expect(await readUnstarted(database, job.jobId)).toMatchObject({ status: 'processing' });
    const jumped = pool().query('UPDATE critical_jobs SET waiting_rank = NULL WHERE id = $1', [claims[1]?.jobId]);
    await expect(jumped).rejects.toThrow('critical_jobs_head');
  });

  it('is forgotten once nobody has stood in it for long, a few at a time', async () => {
    const [used] = await lineOf(2);
    for (const _ of [1, 2, 3]) {
      const [one] = await lineOf(1);
      await settler().settle(ending(await start(one)));
    }
    expect(await deleteIdleKeys(database, 60_000, 100)).toBe(0);
    await pool().query(`UPDATE ordering_keys SET idle_since = idle_since - interval '1 hour'`);
    expect(await deleteIdleKeys(database, 60_000, 2)).toBe(2);
    expect(await deleteIdleKeys(database, 60_000, 100)).toBeGreaterThanOrEqual(1);
    expect(await headOf(used)).toEqual({ head_job_id: used?.jobId });
    expect(await deleteIdleKeys(database, 0, 100)).toBe(0);
  });

  it('is not entered by a request that becomes no job', async () => {
    const [held] = await lineOf(1);
    const loser = claimOf({ orderingKey: held?.orderingKey, liveKey: held?.liveKey ?? '' });
    const unordered = claimOf();
    const later = claimOf({ orderingKey: held?.orderingKey });
    expect(await claimJobs(database, [loser, unordered, later])).toEqual({
      jobIds: new Set([unordered.jobId, later.jobId]),
      waiting: new Set([later.jobId]),
    });
    expect(await insertClaims(database, [loser])).toEqual(new Set());
  });
});
