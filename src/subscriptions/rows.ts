import type { OutcomeName } from '../contract/outcome';
import type { Queryable } from '../platform/postgres/database';

export interface Subscription {
  id: string;
  url: string;
  /** Empty, as `outcomes`: all. */
  jobTypes: string[];
  outcomes: OutcomeName[];
  createdBy: string;
  createdAt: Date;
  /** Why nothing is sent to it any more; undefined while something is. */
  disabledReason: string | undefined;
}

/** Which secrets sign what is sent: this version, and until then the one before as well. */
export interface SecretVersions {
  version: number;
  previousUntil: Date | undefined;
}

export type NewSubscription = Pick<Subscription, 'id' | 'url' | 'jobTypes' | 'outcomes' | 'createdBy'>;

export async function insertSubscription(database: Queryable, subscription: NewSubscription): Promise<void> {
  const { id, url, jobTypes, outcomes, createdBy } = subscription;
  await database.query(INSERT, [id, url, jobTypes, outcomes, createdBy]);
}

/** @param createdBy undefined for everybody's */
export async function listSubscriptions(database: Queryable, createdBy: string | undefined): Promise<Subscription[]> {
  return (await database.query<Row>(LIST, [createdBy ?? null])).map(toSubscription);
}

/** Answers whether there was one of theirs. @param createdBy undefined for anybody's */
export async function deleteSubscription(
  database: Queryable,
  id: string,
  createdBy: string | undefined,
): Promise<boolean> {
  return (await database.query(DELETE, [id, createdBy ?? null])).length > 0;
}

/** Makes another secret, beside which the last one is good for so long. Undefined when there is no such subscription. */
export async function rotateSecret(
  database: Queryable,
  id: string,
  createdBy: string | undefined,
  overlapMs: number,
): Promise<SecretVersions | undefined> {
  const [row] = await database.query<VersionRow>(ROTATE, [id, createdBy ?? null, overlapMs]);
  return row && toVersions(row);
}

export async function disableSubscription(database: Queryable, id: string, reason: string): Promise<void> {
  await database.query(DISABLE, [id, reason]);
}

/** What those that are told of anything want to be told of. */
export async function readInterests(database: Queryable): Promise<Pick<Subscription, 'jobTypes' | 'outcomes'>[]> {
  const rows = await database.query<Pick<Row, 'job_types' | 'outcomes'>>(INTERESTS);
  return rows.map(({ job_types: jobTypes, outcomes }) => ({ jobTypes, outcomes }));
}

interface Row {
  id: string;
  url: string;
  job_types: string[];
  outcomes: OutcomeName[];
  created_by: string;
  created_at: Date;
  disabled_reason: string | null;
}

export interface VersionRow {
  secret_version: number;
  previous_secret_until: Date | null;
}

export function toVersions({ secret_version: version, previous_secret_until: until }: VersionRow): SecretVersions {
  return { version, previousUntil: until ?? undefined };
}

function toSubscription(row: Row): Subscription {
  return {
    id: row.id,
    url: row.url,
    jobTypes: row.job_types,
    outcomes: row.outcomes,
    createdBy: row.created_by,
    createdAt: row.created_at,
    disabledReason: row.disabled_reason ?? undefined,
  };
}

const INSERT = {
  name: 'subscriptions-insert',
  text: `
    INSERT INTO webhook_subscriptions (id, url, job_types, outcomes, created_by)
    VALUES ($1, $2, $3::text[], $4::text[], $5)`,
};

const LIST = {
  name: 'subscriptions-list',
  text: `
    SELECT id, url, job_types, outcomes, created_by, created_at, disabled_reason FROM webhook_subscriptions
    WHERE $1::text IS NULL OR created_by = $1 ORDER BY created_at, id`,
};

const DELETE = {
  name: 'subscriptions-delete',
  text: `DELETE FROM webhook_subscriptions WHERE id = $1 AND ($2::text IS NULL OR created_by = $2) RETURNING id`,
};

const ROTATE = {
  name: 'subscriptions-rotate',
  text: `
    UPDATE webhook_subscriptions
    SET secret_version = secret_version + 1, previous_secret_until = now() + $3 * interval '1 millisecond'
    WHERE id = $1 AND ($2::text IS NULL OR created_by = $2)
    RETURNING secret_version, previous_secret_until`,
};

const DISABLE = {
  name: 'subscriptions-disable',
  text: `
    UPDATE webhook_subscriptions SET disabled_at = now(), disabled_reason = $2
    WHERE id = $1 AND disabled_at IS NULL`,
};

const INTERESTS = {
  name: 'subscriptions-interests',
  text: 'SELECT DISTINCT job_types, outcomes FROM webhook_subscriptions WHERE disabled_at IS NULL',
};
