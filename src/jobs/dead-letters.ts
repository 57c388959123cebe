import type { Problem } from '../platform/json-problems';
import { sha256, uuidV7 } from '../platform/ids';
import type { Queryable } from '../platform/postgres/database';

/** More of a body than this is not kept; its digest always is. */
const MAX_BODY_BYTES = 64 * 1024;

export interface DeadLetter {
  /** rejected: can never be accepted · gave_up: was tried · poison: killed its processes · broker: under suspicion. */
  kind: 'rejected' | 'gave_up' | 'poison' | 'broker';
  /** The same happening recorded again only raises `seen`. */
  dedupeKey: string;
  jobId?: string;
  requestKey?: string;
  queueName: string;
  jobType: string;
  code: string;
  errors: Problem[];
  body?: Buffer;
}

/** Records dead letters and answers with the dedupe keys of those that are new. */
export async function recordDeadLetters(database: Queryable, letters: DeadLetter[]): Promise<Set<string>> {
  const isNew = new Set<string>();
  for (const letter of letters) {
    const rows = await database.query<{ seen: number }>(RECORD, [
      uuidV7(),
      letter.kind,
      letter.dedupeKey,
      letter.jobId ?? null,
      letter.requestKey ?? null,
      letter.queueName,
      letter.jobType,
      letter.code,
      JSON.stringify(letter.errors),
      letter.body?.subarray(0, MAX_BODY_BYTES) ?? null,
      letter.body === undefined ? null : sha256(letter.body),
    ]);
    if (rows[0]?.seen === 1) isNew.add(letter.dedupeKey);
  }
  return isNew;
}

/** Refusals of these very requests, by their dedupe keys. What was only unavailable may be asked for again. */
export async function readRefusals(
  database: Queryable,
  dedupeKeys: string[],
): Promise<Map<string, { code: string; problems: Problem[]; jobId: string | undefined }>> {
  const rows = await database.query<{ dedupe_key: string; code: string; errors: Problem[]; job_id: string | null }>(
    {
      text: `SELECT dedupe_key, code, errors, job_id FROM dead_letter_jobs
        WHERE dedupe_key = ANY($1::uuid[]) AND kind = 'rejected' AND code <> 'TYPE_UNAVAILABLE'`,
    },
    [dedupeKeys],
  );
  return new Map(
    rows.map((row) => [row.dedupe_key, { code: row.code, problems: row.errors, jobId: row.job_id ?? undefined }]),
  );
}

/** Counts one more start of a message that may kill its process, before it is touched; answers with the count. */
export async function countStart(
  database: Queryable,
  dedupeKey: string,
  queueName: string,
  body: Buffer,
): Promise<number> {
  const rows = await database.query<{ starts: number }>(COUNT_START, [
    uuidV7(),
    dedupeKey,
    queueName,
    body.subarray(0, MAX_BODY_BYTES),
    sha256(body),
  ]);
  return rows[0]?.starts ?? 1;
}

/** The message was accepted after all: it was innocent. */
export async function forgetStarts(database: Queryable, dedupeKey: string): Promise<void> {
  await database.query({ text: `DELETE FROM dead_letter_jobs WHERE dedupe_key = $1 AND kind = 'broker'` }, [dedupeKey]);
}

const RECORD = {
  name: 'dead-letters-record',
  text: `
    INSERT INTO dead_letter_jobs AS d (id, kind, dedupe_key, job_id, request_key, queue_name, job_type, code, errors,
      body, body_sha256)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11)
    ON CONFLICT (dedupe_key) DO UPDATE SET seen = d.seen + 1, last_seen_at = now()
    RETURNING seen`,
};

const COUNT_START = {
  text: `
    INSERT INTO dead_letter_jobs AS d (id, kind, dedupe_key, queue_name, job_type, code, errors, body, body_sha256, starts)
    VALUES ($1, 'broker', $2, $3, 'unknown', 'SUSPECT_MESSAGE', '[]', $4, $5, 1)
    ON CONFLICT (dedupe_key) DO UPDATE SET starts = d.starts + 1, seen = d.seen + 1, last_seen_at = now()
    RETURNING starts`,
};
