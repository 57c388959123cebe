import { randomUUID } from 'node:crypto';
import { decide } from '../../../src/execution/decide';
import { Settler, type Ending, type SettleSteps } from '../../../src/execution/settler';
import { appendEffectFacts, beginEffects } from '../../../src/jobs/effects';
import { reopenResolved } from '../../../src/jobs/dispatch';
import { startExceptional, type StartedJob } from '../../../src/jobs/start';
import { CommitUnknownError, type Database } from '../../../src/platform/postgres/database';
import { openHarness, type Harness } from '../../support/harness';
import { MoneyRows } from '../../support/money';
import { claimJob, effectOf, openDatabase, settleSteps, silentLog, startOne } from '../../support/records';

let harness: Harness;
let database: Database;
let rows: MoneyRows;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  rows = new MoneyRows(harness.environment.pool);
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

function settler(over: Partial<SettleSteps> = {}): Settler {
  return new Settler(settleSteps(database, over), silentLog, 200);
}

const NO_EFFECTS = { anyUncertain: false, anyHappened: false, anyMissing: false };

function completion(job: StartedJob, result: unknown, facts: Ending['facts'] = []): Ending {
  return { job, decision: decide(job, { kind: 'done', result }, NO_EFFECTS, new Date()), facts };
}

/** A job that one attempt runs, and another one has taken over. */
async function overtaken(): Promise<{ first: StartedJob; second: StartedJob }> {
  const request = await claimJob(database);
  const first = await startOne(database, request);
  const second = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
  if (!second) throw new Error('not taken over');
  return { first, second };
}

describe('a group of endings', () => {
  it('of which the database refuses one: the others are settled, each with its outcome', async () => {
    const jobs = await Promise.all([1, 2, 3].map(async () => startOne(database, await claimJob(database))));
    const results = [{ n: 1 }, { n: 'not storable: \u0000' }, { n: 3 }];
    const group = settler();

    const answers = await Promise.allSettled(jobs.map((job, index) => group.settle(completion(job, results[index]))));

    expect(answers).toMatchObject([
      { value: 'settled' },
      { reason: { message: expect.stringMatching(/unicode/i) } },
      { value: 'settled' },
    ]);
    const outcomes = await Promise.all(jobs.map((job) => rows.outcomes(job.jobId)));
    expect(outcomes).toEqual([['completed'], [], ['completed']]);
    const moves = await Promise.all(jobs.map((job) => rows.moves(job.jobId)));
    // Nothing of the refused one was written.
    expect(moves.map((all) => all.at(-1))).toEqual([
      'processing → completed (DONE)',
      'pending → processing',
      'processing → completed (DONE)',
    ]);
  });

  it('with two attempts of one job: only the one that holds it decides and is answered for', async () => {
    const { first, second } = await overtaken();
    const group = settler();

    const answers = await Promise.all([
      group.settle(completion(first, { by: 'first' })),
      group.settle(completion(second, { by: 'second' })),
    ]);

    expect(answers).toEqual(['fenced', 'settled']);
    expect(await rows.outcomes(first.jobId)).toEqual(['completed']);
    const { rows: jobs } = await harness.environment.pool.query('SELECT result FROM critical_jobs WHERE id = $1', [
      first.jobId,
    ]);
    expect(jobs).toEqual([{ result: { by: 'second' } }]);
  });

  it('rejects a single one that the database refuses every time: nothing is pretended', async () => {
    const job = await startOne(database, await claimJob(database));
    await expect(settler().settle(completion(job, '\u0000'))).rejects.toThrow(/unicode/i);
  });
});

describe('a COMMIT whose answer is lost', () => {
  it.each([
    ['after it took effect', true],
    ['before it took effect', false],
  ])('%s: settled, with one outcome', async (_, tookEffect) => {
    const job = await startOne(database, await claimJob(database));
    let lost = 0;
    const transaction: SettleSteps['transaction'] = async (work) => {
      if (lost > 0) return database.transaction(work);
      lost += 1;
      if (tookEffect) await database.transaction(work);
      throw new CommitUnknownError('the answer to COMMIT did not arrive');
    };

    expect(await settler({ transaction }).settle(completion(job, { n: 1 }))).toBe('settled');

    expect(lost).toBe(1);
    expect(await rows.outcomes(job.jobId)).toEqual(['completed']);
  });
});

describe('the ledger of effects', () => {
  it('lets only the attempt that holds the job begin, also when both ask in one statement', async () => {
    const { first, second } = await overtaken();
    const starts = [effectOf(second), effectOf(first)];
    expect(await beginEffects(database, starts)).toEqual(['begun', 'fenced']);
    expect(await beginEffects(database, starts.toReversed())).toEqual(['fenced', 'begun']);
    expect(await rows.effects(first.jobId)).toMatchObject([{ number: 1, calls: 2 }]);
  });

  it('takes from an overtaken attempt that it happened, but not that it did not', async () => {
    const { first, second } = await overtaken();
    await beginEffects(database, [effectOf(second)]);
    const { jobId, token } = first;
    const fact = { jobId, token, name: 'charge', number: 1, reference: undefined, value: undefined } as const;

    await appendEffectFacts(database, [{ ...fact, state: 'absent' }]);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'started' }]);

    await appendEffectFacts(database, [{ ...fact, state: 'done', reference: 'pi_1', value: 1 }]);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'done', reference: 'pi_1' }]);

    // What happened never changes again, whoever says so.
    await appendEffectFacts(database, [{ ...fact, token: second.token, state: 'absent' }]);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'done', reference: 'pi_1' }]);
  });

  it('takes from the attempt that holds the job that what an earlier one began did not happen', async () => {
    const request = await claimJob(database);
    const first = await startOne(database, request);
    await beginEffects(database, [effectOf(first)]);
    const second = await startExceptional(database, { ...request, token: randomUUID() }, 'test', true);
    const { jobId } = first;
    const token = second?.token ?? '';
    const fact = { jobId, token, name: 'charge', number: 1, reference: undefined, value: undefined } as const;
    await appendEffectFacts(database, [{ ...fact, state: 'absent' }]);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'absent' }]);
  });
});

describe('a start out of turn', () => {
  it('is for a suspect only as long as it is one', async () => {
    const request = await claimJob(database);
    const started = await startOne(database, request);
    const again = { ...request, token: randomUUID() };
    const retry = decide(started, { kind: 'retry', code: 'LATER', message: 'm' }, NO_EFFECTS, new Date());
    await settler().settle({ job: started, decision: retry, facts: [] });
    // It waits for its next attempt like every other job now.
    expect(await startExceptional(database, again, 'test', true)).toBeUndefined();
    expect(await startExceptional(database, again, 'test', false)).toMatchObject({ token: again.token });
  });
});

describe('a job in doubt', () => {
  /** One that is settled as in doubt, with an effect that it had begun. */
  async function inDoubt(
    between: (job: StartedJob) => Promise<void>,
    facts: Ending['facts'] = [],
  ): Promise<StartedJob> {
    const job = await startOne(database, await claimJob(database));
    await beginEffects(database, [effectOf(job)]);
    await between(job);
    const end = { kind: 'inDoubt', code: 'UNKNOWN', message: 'm' } as const;
    const decision = decide(job, end, { anyUncertain: true, anyHappened: false, anyMissing: false }, new Date());
    const own = facts.map((fact) => ({ ...fact, jobId: job.jobId, token: job.token }));
    await settler().settle({ job, decision, facts: own });
    return job;
  }
  const happened = { name: 'charge', number: 1, state: 'done', reference: 'pi_1', value: 1 } as const;
  const tell = (job: StartedJob) => appendEffectFacts(database, [{ ...happened, jobId: job.jobId, token: job.token }]);

  it('is opened again when its effect becomes known, before or after it was settled', async () => {
    const before = await inDoubt(tell);
    const after = await inDoubt(() => Promise.resolve());
    await tell(after);
    expect(await reopenResolved(database)).toBe(2);
    for (const job of [before, after]) {
      expect((await rows.moves(job.jobId)).at(-1)).toBe('in_doubt → pending (EFFECT_KNOWN)');
    }
  });

  it('stays in doubt while nothing is known that it did not know itself', async () => {
    const unknown = await inDoubt(() => Promise.resolve());
    const known = await inDoubt(() => Promise.resolve(), [{ ...happened, jobId: '', token: '' }]);
    expect(await reopenResolved(database)).toBe(0);
    for (const job of [unknown, known]) {
      expect((await rows.moves(job.jobId)).at(-1)).toBe('processing → in_doubt (UNKNOWN)');
    }
  });
});
