import { QUEUES } from '../../src/contract/names';
import { describeInRedis, expectEffects, openInRedis, type CrashHarness } from './crash-effects';
import type { Group, Workload } from './crash-workload';
import type { Harness, ReceivedOutcome } from './harness';

/** What one row ended with, for its line. */
export interface Tally {
  requests: number;
  effects: number;
  /** How often an effect happened once more than it should have, where its type allows it. */
  repeated: number;
  outcomes: number;
}

const TERMINAL = ['completed', 'failed', 'cancelled'];

/** What is still owed: requests without their last answer, and work that somebody left lying. Empty when all is done. */
export async function openEnds(harness: Harness, workload: Workload): Promise<string[]> {
  const { bus } = harness;
  const owed = [
    ...workload.groups.flatMap((group) => unanswered(harness, group)),
    ...workload.refused.filter((id) => bus.outcomesOf(id, 'rejected').length === 0),
    ...workload.unreadable.filter((id) => !bus.outcomes.some((outcome) => outcome.id === id)),
    ...(workload.waiting === undefined ? [] : unansweredBy(harness, workload.waiting, 'cancelled')),
  ].map((id) => `no answer to ${id}`);
  // The database is asked only when it may have something to say.
  return owed.length > 0 ? owed : leftLying(harness, workload);
}

function unanswered(harness: Harness, { requests, ends }: Group): string[] {
  const winners = requests.filter((id) => harness.bus.outcomesOf(id, ends).length > 0);
  if (winners.length === 0) return requests;
  const others = requests.filter((id) => !winners.includes(id));
  return others.filter((id) => {
    const outcomes = harness.bus.outcomesOf(id);
    // A duplicate is answered with the result in the end, a conflict is refused.
    return !outcomes.some(({ data }) => data.outcome === 'rejected' || (data.outcome === 'duplicate' && data.result));
  });
}

function unansweredBy({ bus }: Harness, id: string, outcome: string): string[] {
  return bus.outcomesOf(id, outcome).length > 0 ? [] : [id];
}

async function leftLying(harness: Harness, { tier }: Workload): Promise<string[]> {
  const { rows } = await harness.environment.pool.query<{ what: string; n: number }>(`
    SELECT * FROM (
      SELECT 'open jobs' AS what, count(*)::int AS n FROM critical_jobs WHERE finished_at IS NULL
      UNION ALL SELECT 'unpublished messages', count(*)::int FROM outbox_events WHERE published_at IS NULL
      UNION ALL SELECT 'followers', count(*)::int FROM job_followers WHERE answered_at IS NULL
      UNION ALL SELECT 'effects of unknown end', count(*)::int FROM job_effects WHERE state IN ('started', 'in_doubt')
      UNION ALL SELECT 'counted starts', count(*)::int FROM dead_letter_jobs WHERE kind = 'broker'
      UNION ALL SELECT 'jobs too many or too few in the books', abs(COALESCE(sum(accepted) - sum(ended), 0))::int
        FROM queue_counts
    ) AS counted WHERE n > 0`);
  const jobs = await openInRedis(harness, tier);
  return [...rows.map(({ what, n }) => `${n} ${what}`), ...jobs.map((key) => `${key} in Redis`)];
}

/** What became of the unanswered requests and of everything that has not ended, for somebody who wonders why. */
export async function describeOpen(harness: Harness, workload: Workload): Promise<string> {
  const requests = workload.groups.flatMap((group) => unanswered(harness, group));
  const { rows } = await harness.environment.pool.query(
    `SELECT id, request_id, job_type, status, reason, error, queued, generation, dispatch, attempts, starts, finishes,
       suspect_starts, run_at - now() AS runs_in, now() - updated_at AS unchanged_for,
       (SELECT array_agg(to_status || ' ' || COALESCE(reason, '') || ' at ' || at ORDER BY at)
        FROM critical_job_transitions t WHERE t.job_id = j.id) AS timeline
     FROM critical_jobs j WHERE finished_at IS NULL OR request_id = ANY($1) ORDER BY id`,
    [requests],
  );
  const lower = await describeInRedis(harness, workload.tier);
  const heard = requests.flatMap((id) => harness.bus.outcomesOf(id)).map(({ data }) => data);
  return [...rows, ...lower, ...heard, await messagesLeft(harness)].map((row) => JSON.stringify(row)).join('\n');
}

/** To be called when all processes have stopped, so that what was not acknowledged is back in its queue. */
export async function messagesLeft({ bus }: Harness): Promise<Record<string, number>> {
  const left: Record<string, number> = {};
  const names = [...Object.values(QUEUES.requests), QUEUES.otherRequests, QUEUES.domainEvents, QUEUES.deadRequests];
  for (const name of names) {
    const { messageCount } = await bus.channel.checkQueue(name);
    if (messageCount > 0) left[name] = messageCount;
  }
  return left;
}

/** One effect and one answer, whatever happened on the way. */
export async function expectOnce(harness: CrashHarness, workload: Workload): Promise<Tally> {
  const terminal = terminalOutcomes(harness, workload);
  const ids = new Map<string, Set<string>>();
  for (const { id, data } of terminal) {
    const key = `${data.jobId} ${data.generation}`;
    ids.set(key, (ids.get(key) ?? new Set()).add(id));
  }
  expect([...ids].filter(([, distinct]) => distinct.size !== 1)).toEqual([]);

  const written = await harness.environment.pool.query<{ id: string }>(
    'SELECT id FROM outbox_events WHERE id = ANY($1::uuid[]) GROUP BY id HAVING count(*) > 1',
    [terminal.map(({ id }) => id)],
  );
  expect(written.rows).toEqual([]);

  expect(await ranTogether(harness)).toEqual([]);

  const effective = workload.groups.filter(({ hasEffect }) => hasEffect);
  const jobs = effective.map(({ requests }) => jobOf(terminal, requests));
  return {
    requests: workload.confirmed,
    effects: jobs.length,
    repeated: await expectEffects(harness, workload, jobs),
    outcomes: new Set(terminal.map(({ id }) => id)).size,
  };
}

/** Pairs of jobs of one ordering key of which one began before the other had ended. */
async function ranTogether({ environment }: Harness): Promise<unknown[]> {
  const { rows } = await environment.pool.query(`
    WITH life AS (
      SELECT j.ordering_key, t.job_id, t.generation, min(t.at) FILTER (WHERE t.to_status = 'processing') AS began,
        max(t.at) FILTER (WHERE t.to_status IN ('completed', 'failed', 'cancelled')) AS ended
      FROM critical_jobs j JOIN critical_job_transitions t ON t.job_id = j.id
      WHERE j.ordering_key IS NOT NULL GROUP BY 1, 2, 3
    )
    SELECT a.job_id AS one, b.job_id AS other FROM life a JOIN life b USING (ordering_key)
    WHERE a.job_id < b.job_id AND a.began < b.ended AND b.began < a.ended`);
  return rows;
}

function terminalOutcomes({ bus }: Harness, workload: Workload): ReceivedOutcome[] {
  const asked = new Set(workload.groups.flatMap(({ requests }) => requests).concat(workload.waiting ?? []));
  return bus.outcomes.filter(
    ({ data }) => data.requestId !== null && asked.has(data.requestId) && TERMINAL.includes(data.outcome),
  );
}

/** The job that the group's one completed request became. */
function jobOf(terminal: ReceivedOutcome[], requests: string[]): string {
  const completed = terminal.filter(
    ({ data }) => data.outcome === 'completed' && requests.includes(data.requestId ?? ''),
  );
  const jobs = [...new Set(completed.map(({ data }) => data.jobId))];
  expect(jobs).toHaveLength(1);
  return jobs[0] ?? '';
}
