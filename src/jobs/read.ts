import type { Queryable } from '../platform/postgres/database';
import type { JobRecord } from './job';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

/** A job as those see it whom it concerns: its record, and what it was asked for with. */
export interface JobView extends JobRecord {
  /** The payload as received, with the provider that was chosen; undefined where it is no longer kept. */
  data: unknown;
  /** Whom it concerns, by its payload. */
  userId: string | undefined;
  venueId: string | undefined;
  maxAttempts: number | undefined;
  /** When it may start, or start again. */
  runAt: Date | undefined;
  /** How far its attempt is, in percent, as far as it says so. */
  progress: number;
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
  user_id: string | null;
  venue_id: string | null;
  max_attempts: number;
  run_at: Date;
}

export async function readJobView(database: Queryable, jobId: string): Promise<JobView | undefined> {
  const rows = await database.query<ViewRow>(
    {
      name: 'jobs-view',
      text: `SELECT ${RECORD_COLUMNS}, j.data, j.data->>'userId' AS user_id, j.data->>'venueId' AS venue_id,
          j.max_attempts, j.run_at
        FROM critical_jobs j WHERE j.id = $1`,
    },
    [jobId],
  );
  return rows.map((row) => ({
    ...toRecord(row),
    data: row.data,
    userId: row.user_id ?? undefined,
    venueId: row.venue_id ?? undefined,
    maxAttempts: row.max_attempts,
    runAt: row.run_at,
    progress: 0,
  }))[0];
}
