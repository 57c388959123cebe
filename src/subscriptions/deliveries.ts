import type { Queryable, Transaction } from '../platform/postgres/database';
import { toVersions, type SecretVersions, type VersionRow } from './rows';

/** Names a delivery. */
export interface DeliveryKey {
  subscriptionId: string;
  eventId: string;
}

/** An outcome that somebody may want to be told of. */
export interface ToldOutcome {
  eventId: string;
  jobType: string;
  outcome: string;
  /** The event, as the broker has it. */
  body: string;
}

/** A delivery that is to be made. */
export interface Delivery {
  url: string;
  body: string;
  secrets: SecretVersions;
}

/** A delivery as its subscriber may look at it. */
export interface DeliveryView {
  eventId: string;
  jobType: string;
  outcome: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  lastAnswer: string | null;
  lastAttemptAt: Date | null;
  createdAt: Date;
}

/** Notes what must be delivered to whom, as part of the transaction that makes it true. Answers with what is new. */
export async function insertDeliveries(tx: Transaction, outcomes: ToldOutcome[]): Promise<DeliveryKey[]> {
  const rows = await tx.query<{ subscription_id: string; event_id: string }>(INSERT, [
    outcomes.map(({ eventId }) => eventId),
    outcomes.map(({ jobType }) => jobType),
    outcomes.map(({ outcome }) => outcome),
    outcomes.map(({ body }) => body),
  ]);
  return rows.map(({ subscription_id: subscriptionId, event_id: eventId }) => ({ subscriptionId, eventId }));
}

/** `delivered`: it was already. Undefined when its subscription has ended. */
export async function readDelivery(database: Queryable, key: DeliveryKey): Promise<Delivery | 'delivered' | undefined> {
  const rows = await database.query<VersionRow & { url: string; body: string | null }>(READ, [
    key.subscriptionId,
    key.eventId,
  ]);
  const [row] = rows;
  if (!row) return undefined;
  return row.body === null ? 'delivered' : { url: row.url, body: row.body, secrets: toVersions(row) };
}

/** Writes down how an attempt went. */
export async function noteAttempt(
  database: Queryable,
  { subscriptionId, eventId }: DeliveryKey,
  state: DeliveryView['state'],
  answer: string,
): Promise<void> {
  await database.query(NOTE, [subscriptionId, eventId, state, answer]);
}

/** The latest first. */
export async function listDeliveries(
  database: Queryable,
  subscriptionId: string,
  createdBy: string | undefined,
  limit: number,
): Promise<DeliveryView[]> {
  const rows = await database.query<{
    event_id: string;
    job_type: string;
    outcome: string;
    state: DeliveryView['state'];
    attempts: number;
    last_answer: string | null;
    last_attempt_at: Date | null;
    created_at: Date;
  }>(LIST, [subscriptionId, createdBy ?? null, limit]);
  return rows.map((row) => ({
    eventId: row.event_id,
    jobType: row.job_type,
    outcome: row.outcome,
    state: row.state,
    attempts: row.attempts,
    lastAnswer: row.last_answer,
    lastAttemptAt: row.last_attempt_at,
    createdAt: row.created_at,
  }));
}

/** Answers with the number of those that were deleted, up to `limit`. */
export async function deleteDeliveries(database: Queryable, before: Date, limit: number): Promise<number> {
  return (await database.query(EXPIRE, [before, limit])).length;
}

const INSERT = {
  name: 'deliveries-insert',
  text: `
    INSERT INTO webhook_deliveries (subscription_id, event_id, job_type, outcome, body)
    SELECT s.id, t.event_id, t.job_type, t.outcome, t.body
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS t (event_id, job_type, outcome, body)
    JOIN webhook_subscriptions s ON s.disabled_at IS NULL
      AND (s.job_types = '{}' OR t.job_type = ANY (s.job_types))
      AND (s.outcomes = '{}' OR t.outcome = ANY (s.outcomes))
    ON CONFLICT DO NOTHING
    RETURNING subscription_id, event_id`,
};

const READ = {
  name: 'deliveries-read',
  text: `
    SELECT s.url, s.secret_version, s.previous_secret_until, d.body
    FROM webhook_deliveries d JOIN webhook_subscriptions s ON s.id = d.subscription_id AND s.disabled_at IS NULL
    WHERE d.subscription_id = $1 AND d.event_id = $2`,
};

const NOTE = {
  name: 'deliveries-note',
  text: `
    UPDATE webhook_deliveries
    SET state = $3, last_answer = $4, attempts = attempts + 1, last_attempt_at = now(),
      body = CASE WHEN $3 = 'delivered' THEN NULL ELSE body END
    WHERE subscription_id = $1 AND event_id = $2`,
};

const LIST = {
  name: 'deliveries-list',
  text: `
    SELECT d.event_id, d.job_type, d.outcome, d.state, d.attempts, d.last_answer, d.last_attempt_at, d.created_at
    FROM webhook_deliveries d JOIN webhook_subscriptions s ON s.id = d.subscription_id
    WHERE d.subscription_id = $1 AND ($2::text IS NULL OR s.created_by = $2)
    ORDER BY d.created_at DESC, d.event_id LIMIT $3`,
};

const EXPIRE = {
  name: 'deliveries-expire',
  text: `
    DELETE FROM webhook_deliveries WHERE (subscription_id, event_id) IN (
      SELECT subscription_id, event_id FROM webhook_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2)
    RETURNING event_id`,
};
