import { TIERS, type Tier } from '../contract/names';
import type { OutcomeError } from '../contract/outcome';
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { JobIdentity, JobRecord, JobStatus } from './job';

/** Columns that every read of a job's identity selects, in one place. */
export const IDENTITY_COLUMNS = `j.id, j.queue_name, j.job_type, j.idempotency_key, j.request_id, j.request_source,
  j.correlation_id, j.traceparent, j.generation, j.created_at`;

export const RECORD_COLUMNS = `${IDENTITY_COLUMNS}, j.status, j.dispatch, j.attempts, j.sequence, j.result, j.error,
  j.started_at, j.finished_at`;

export interface IdentityRow {
  id: string;
  queue_name: string;
  job_type: string;
  idempotency_key: string;
  request_id: string;
  request_source: string;
  correlation_id: string | null;
  traceparent: string | null;
  generation: number;
  created_at: Date;
}

export interface RecordRow extends IdentityRow {
  status: JobStatus;
  dispatch: number;
  attempts: number;
  sequence: number;
  result: unknown;
  error: OutcomeError | null;
  started_at: Date | null;
  finished_at: Date | null;
}

export function toIdentity(row: IdentityRow): JobIdentity {
  return {
    jobId: row.id,
    tier: tierOf(row.queue_name),
    type: row.job_type,
    idempotencyKey: row.idempotency_key,
    requestId: row.request_id,
    source: row.request_source,
    correlationId: row.correlation_id ?? undefined,
    traceparent: row.traceparent ?? undefined,
    generation: row.generation,
    acceptedAt: row.created_at,
  };
}

export function toRecord(row: RecordRow): JobRecord {
  return {
    status: row.status,
    dispatch: row.dispatch,
    attempts: row.attempts,
    sequence: row.sequence,
    result: row.result,
    error: row.error,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    ...toIdentity(row),
  };
}

const TIER_OF: ReadonlyMap<string, Tier> = new Map(TIERS.map((tier) => [QUEUE_POLICIES[tier].queueName, tier]));

function tierOf(queueName: string): Tier {
  const tier = TIER_OF.get(queueName);
  if (!tier) throw new Error(`unknown queue ${queueName}`);
  return tier;
}
