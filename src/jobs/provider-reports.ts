import type { Queryable, Transaction } from '../platform/postgres/database';

/** What was made of a provider's report, as it is kept. */
export interface ProviderReport {
  provider: string;
  eventId: string;
  event: string;
  objectId: string;
  /** The job that it is about. */
  jobId: string | undefined;
  /** The provider's own word for why. */
  code: string | undefined;
  occurredAt: string | undefined;
}

/** A report about a job, as its timeline tells it. */
export interface ReportedEvent extends Pick<ProviderReport, 'provider' | 'eventId' | 'event' | 'objectId' | 'code'> {
  /** When the report came. */
  at: Date;
  /** When it happened, by the provider's clock. */
  occurredAt: Date | undefined;
}

/**
 * Keeps a report, once; false when it was kept before.
 * @param takenBy the job as which the report was taken: when it came is when that was made
 */
export async function keepReport(tx: Transaction, report: ProviderReport, takenBy: string): Promise<boolean> {
  const rows = await tx.query(KEEP, [
    report.provider,
    report.eventId,
    report.event,
    report.objectId,
    report.jobId ?? null,
    report.code ?? null,
    report.occurredAt ?? null,
    takenBy,
  ]);
  return rows.length === 1;
}

/** Which of these announcements were never made; they count as made from now on. */
export async function takeUnannounced(tx: Transaction, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.query<{ id: string }>(
    {
      text: `
        INSERT INTO provider_announcements (id) SELECT id FROM unnest($1::uuid[]) AS told (id) ORDER BY id
        ON CONFLICT (id) DO NOTHING RETURNING id`,
    },
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Has a job that waits look now, at what has been learnt; its row is locked by the same transaction. */
export async function wakeWaiting(tx: Transaction, jobId: string): Promise<void> {
  // Fed anew, under another dispatch: what Redis holds for later is stale then.
  await tx.query(
    {
      text: `
        UPDATE critical_jobs SET run_at = now(), queued = false, updated_at = now()
        WHERE id = $1 AND status = 'pending' AND run_at > now()`,
    },
    [jobId],
  );
}

/** What providers reported about a job, oldest first. */
export async function readReports(database: Queryable, jobId: string, limit: number): Promise<ReportedEvent[]> {
  const rows = await database.query<{
    provider: string;
    event_id: string;
    event: string;
    object_id: string;
    code: string | null;
    at: Date;
    occurred_at: Date | null;
  }>(
    {
      text: `
        SELECT provider, event_id, event, object_id, code, received_at AS at, occurred_at
        FROM provider_webhook_events WHERE job_id = $1 ORDER BY at LIMIT $2`,
    },
    [jobId, limit],
  );
  return rows.map(({ event_id, object_id, code, occurred_at, ...row }) => ({
    ...row,
    occurredAt: occurred_at ?? undefined,
    eventId: event_id,
    objectId: object_id,
    code: code ?? undefined,
  }));
}

/** Forgets up to `limit` reports that came before; answers with how many. */
export async function deleteReports(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM provider_webhook_events WHERE (provider, event_id) IN (
          SELECT provider, event_id FROM provider_webhook_events WHERE received_at < $1 LIMIT $2
        ) RETURNING event_id`,
    },
    [before, limit],
  );
  return rows.length;
}

/** Forgets up to `limit` announcements that were made before; answers with how many. */
export async function deleteAnnouncements(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM provider_announcements WHERE id IN (
          SELECT id FROM provider_announcements WHERE announced_at < $1 LIMIT $2
        ) RETURNING id`,
    },
    [before, limit],
  );
  return rows.length;
}

const KEEP = {
  name: 'provider-reports-keep',
  text: `
    INSERT INTO provider_webhook_events (provider, event_id, event, object_id, job_id, code, occurred_at, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7,
      COALESCE((SELECT created_at FROM critical_jobs WHERE id = $8), now()))
    ON CONFLICT (provider, event_id) DO NOTHING RETURNING event_id`,
};
