/** Money jobs in bulk, for those who count them. Read page by page, so that no statement is long, however many there are. */
import type { Queryable } from '../platform/postgres/database';

/** Rows of the record that one page looks at. */
const PAGE = 2_000;

export interface MoneyJobFilter {
  types: readonly string[];
  venueId: string | undefined;
}

export interface MoneyJob {
  jobId: string;
  type: string;
  status: string;
  acceptedAt: Date;
  finishedAt: Date | undefined;
  payload: unknown;
  result: unknown;
  errorCode: string | undefined;
}

interface MoneyJobRow {
  id: string;
  job_type: string;
  status: string;
  created_at: Date;
  finished_at: Date | null;
  data: unknown;
  result: unknown;
  error_code: string | null;
}

/**
 * The jobs between two ids, which are in the order of acceptance, up to `end`: the last one looked at, whether it is
 * among them or not. Without `end` there are no more.
 */
export async function readMoneyJobs(
  database: Queryable,
  filter: MoneyJobFilter,
  after: string,
  before: string,
): Promise<{ jobs: MoneyJob[]; end: string | undefined }> {
  const [boundary] = await database.query<{ id: string }>(
    { text: `SELECT id FROM critical_jobs WHERE id > $1 AND id < $2 ORDER BY id OFFSET ${PAGE - 1} LIMIT 1` },
    [after, before],
  );
  const rows = await database.query<MoneyJobRow>(
    {
      text: `
        SELECT id, job_type, status, created_at, finished_at, data, result, error->>'code' AS error_code
        FROM critical_jobs
        WHERE id > $1 AND id < $2 AND id <= coalesce($3::uuid, $2) AND job_type = ANY($4::text[])
          AND ($5::text IS NULL OR data->>'venueId' = $5)
        ORDER BY id`,
    },
    [after, before, boundary?.id ?? null, [...filter.types], filter.venueId ?? null],
  );
  return { jobs: rows.map(toMoneyJob), end: boundary?.id };
}

function toMoneyJob(row: MoneyJobRow): MoneyJob {
  return {
    jobId: row.id,
    type: row.job_type,
    status: row.status,
    acceptedAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    payload: row.data,
    result: row.result,
    errorCode: row.error_code ?? undefined,
  };
}

export interface MoneyEffect {
  name: string;
  state: string;
  reference: string | undefined;
  value: unknown;
}

/** What the ledger says of these jobs: of each effect's tries the one that happened, else the last. */
export async function readMoneyEffects(database: Queryable, jobIds: string[]): Promise<Map<string, MoneyEffect[]>> {
  const rows = await database.query<{
    job_id: string;
    name: string;
    state: string;
    reference: string | null;
    value: unknown;
  }>(
    {
      text: `
        SELECT DISTINCT ON (job_id, name) job_id, name, state, reference, value FROM job_effects
        WHERE job_id = ANY($1::uuid[]) ORDER BY job_id, name, (state = 'done') DESC, number DESC`,
    },
    [jobIds],
  );
  const effects = new Map(jobIds.map((jobId): [string, MoneyEffect[]] => [jobId, []]));
  for (const { job_id: jobId, reference, ...row } of rows) {
    effects.get(jobId)?.push({ ...row, reference: reference ?? undefined });
  }
  return effects;
}
