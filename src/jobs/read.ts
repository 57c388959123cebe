import type { Queryable } from '../platform/postgres/database';
import type { JobRecord } from './job';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

/** A job as those see it whom it concerns: its record, and what it was asked for with. */
export interface JobView extends JobRecord {
  /** The payload as received. */
  data: unknown;
  maxAttempts: number;
  /** When it may start, or start again. */
  runAt: Date;
}

export async function readJob(database: Queryable, jobId: string): Promise<JobRecord | undefined> {
  const rows = await database.query<RecordRow>(
    { text: `SELECT ${RECORD_COLUMNS} FROM critical_jobs j WHERE j.id = $1` },
    [jobId],
  );
  return rows.map(toRecord)[0];
}

interface ViewRow extends RecordRow {
  data: unknown;
  max_attempts: number;
  run_at: Date;
}

export async function readJobView(database: Queryable, jobId: string): Promise<JobView | undefined> {
  const rows = await database.query<ViewRow>(
    {
      name: 'jobs-view',
      text: `SELECT ${RECORD_COLUMNS}, j.data, j.max_attempts, j.run_at FROM critical_jobs j WHERE j.id = $1`,
    },
    [jobId],
  );
  return rows.map((row) => ({
    ...toRecord(row),
    data: row.data,
    maxAttempts: row.max_attempts,
    runAt: row.run_at,
  }))[0];
}
