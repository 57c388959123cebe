import type { Queryable } from '../platform/postgres/database';
import type { JobStatus } from './job';
import { readReports, type ReportedEvent } from './provider-reports';

/** A move of a job from one state to another. */
export interface JobMove {
  at: Date;
  generation: number;
  from: JobStatus;
  to: JobStatus;
  attempt: number;
  worker: string | undefined;
  reason: string | undefined;
  traceId: string | undefined;
}

/** What happened to a job, as far as it is recorded: moves of money jobs alone, reports of providers of every job. */
export interface JobTimeline {
  moves: JobMove[];
  reports: ReportedEvent[];
}

/** More than any job has that is not replayed for months. */
const LIMIT = 1_000;

/** Both oldest first. */
export async function readTimeline(database: Queryable, jobId: string): Promise<JobTimeline> {
  const [moves, reports] = await Promise.all([readMoves(database, jobId), readReports(database, jobId, LIMIT)]);
  return { moves, reports };
}

async function readMoves(database: Queryable, jobId: string): Promise<JobMove[]> {
  const rows = await database.query<{
    at: Date;
    generation: number;
    from_status: JobStatus;
    to_status: JobStatus;
    attempt: number;
    worker: string | null;
    reason: string | null;
    trace_id: string | null;
  }>(
    {
      text: `
        SELECT at, generation, from_status, to_status, attempt, worker, reason, NULLIF(trace_id, '') AS trace_id
        FROM critical_job_transitions WHERE job_id = $1 ORDER BY at, ctid LIMIT $2`,
    },
    [jobId, LIMIT],
  );
  return rows.map((row) => ({
    at: row.at,
    generation: row.generation,
    from: row.from_status,
    to: row.to_status,
    attempt: row.attempt,
    worker: row.worker ?? undefined,
    reason: row.reason ?? undefined,
    traceId: row.trace_id ?? undefined,
  }));
}
