import type { Queryable } from '../platform/postgres/database';
import { arrayOfJsonTexts, jsonTexts } from '../platform/postgres/json-texts';

/** A job to be: everything that is decided before it exists. */
export interface Claim {
  jobId: string;
  queueName: string;
  jobType: string;
  priority: number;
  /** The payload as JSON text: as received, with the provider that was chosen where it names none. */
  data: string;
  idempotencyKey: string;
  keyScope: string;
  /** Digest of (type, scope, key): unique among live jobs. */
  liveKey: string;
  fingerprint: string;
  /** Digest of the request's identity: unique for ever. */
  requestKey: string;
  source: string;
  requestId: string;
  correlationId: string | undefined;
  traceparent: string | undefined;
  maxAttempts: number;
  timeoutMs: number;
  delayMs: number;
  expiresAt: string | undefined;
  /** Digest of (scope, ordering key): jobs that share it run one after the other. */
  orderingKey: string | undefined;
  /** What a dead letter of this very request would be known by: one that was refused before does not become a job. */
  rejectionKey: string | undefined;
  /** Whether it will be handed to Redis at once, or waits for room. */
  queued: boolean;
}

/**
 * Inserts the claims in one statement and answers with the ids that are jobs now. A claim that is missing in the answer
 * met a job with the same request identity or the same live key, or its request was answered before. Sorted by key, so that two processes that claim the
 * same keys wait for each other instead of deadlocking (the caller retries the rare deadlock over the other index).
 */
export async function insertClaims(database: Queryable, claims: Claim[]): Promise<Set<string>> {
  const sorted = [...claims].sort((left, right) => (left.liveKey < right.liveKey ? -1 : 1));
  const rows = await database.query<{ id: string }>(INSERT, [
    sorted.map((claim) => claim.jobId),
    sorted.map((claim) => claim.queueName),
    sorted.map((claim) => claim.jobType),
    sorted.map((claim) => claim.priority),
    jsonTexts(sorted.map((claim) => claim.data)),
    sorted.map((claim) => claim.idempotencyKey),
    sorted.map((claim) => claim.keyScope),
    sorted.map((claim) => claim.liveKey),
    sorted.map((claim) => claim.fingerprint),
    sorted.map((claim) => claim.requestKey),
    sorted.map((claim) => claim.source),
    sorted.map((claim) => claim.requestId),
    sorted.map((claim) => claim.correlationId ?? null),
    sorted.map((claim) => claim.traceparent ?? null),
    sorted.map((claim) => claim.maxAttempts),
    sorted.map((claim) => claim.timeoutMs),
    sorted.map((claim) => claim.delayMs),
    sorted.map((claim) => claim.expiresAt ?? null),
    sorted.map((claim) => claim.queued),
    sorted.map((claim) => claim.rejectionKey ?? null),
  ]);
  return new Set(rows.map((row) => row.id));
}

const INSERT = {
  name: 'jobs-claim',
  text: `
    INSERT INTO critical_jobs (id, queue_name, job_type, priority, data, idempotency_key, key_scope, live_key,
      fingerprint, request_key, request_source, request_id, correlation_id, traceparent, max_attempts, timeout_ms,
      run_at, expires_at, queued)
    SELECT id, queue_name, job_type, priority, data::jsonb, idempotency_key, key_scope, live_key,
      fingerprint, request_key, request_source, request_id, correlation_id, traceparent, max_attempts, timeout_ms,
      now() + delay_ms * interval '1 millisecond', expires_at, queued
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], ${arrayOfJsonTexts('$5')}, $6::text[], $7::text[],
      $8::uuid[], $9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[],
      $16::integer[], $17::bigint[], $18::timestamptz[], $19::boolean[], $20::uuid[])
      AS claim (id, queue_name, job_type, priority, data, idempotency_key, key_scope, live_key,
        fingerprint, request_key, request_source, request_id, correlation_id, traceparent, max_attempts, timeout_ms,
        delay_ms, expires_at, queued, rejection_key)
    WHERE NOT EXISTS (SELECT FROM job_followers f WHERE f.request_key = claim.request_key)
      AND NOT EXISTS (SELECT FROM dead_letter_jobs d WHERE d.dedupe_key = claim.rejection_key AND d.kind = 'rejected'
        AND d.code <> 'TYPE_UNAVAILABLE')
    ON CONFLICT DO NOTHING
    RETURNING id`,
};

/** Marks jobs that could not be handed to Redis, so that they are fed as soon as it is back. */
export async function markNotQueued(database: Queryable, jobIds: string[]): Promise<void> {
  await database.query(
    {
      text: `UPDATE critical_jobs SET queued = false, updated_at = now() WHERE id = ANY($1::uuid[]) AND status = 'pending'`,
    },
    [jobIds],
  );
}
