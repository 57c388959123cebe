import type { Queryable } from '../platform/postgres/database';
import type { JobRecord } from './job';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

export async function readJob(database: Queryable, jobId: string): Promise<JobRecord | undefined> {
  const rows = await database.query<RecordRow>(
    { text: `SELECT ${RECORD_COLUMNS} FROM critical_jobs j WHERE j.id = $1` },
    [jobId],
  );
  return rows.map(toRecord)[0];
}
