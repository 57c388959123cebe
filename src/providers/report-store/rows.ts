import type { Queryable } from '../../platform/postgres/database';

export interface ReportAbout {
  /** The job's. */
  id: string;
  /** The source of the request. */
  requestedBy: string;
  venueId: string | undefined;
  reportType: string;
  startDate: string;
  endDate: string;
  format: string;
  expiresAt: Date;
}

export interface StoredReport extends ReportAbout {
  location: 'folder' | 'bucket';
  key: string;
  size: number;
  sha256: string;
}

/** What an earlier attempt of the job stored is replaced, as its bytes were. */
export async function insertReport(database: Queryable, report: StoredReport): Promise<void> {
  const { id, requestedBy, venueId, reportType, startDate, endDate, format, location, key, size, sha256 } = report;
  await database.query(
    {
      text: `
        INSERT INTO reports (id, requested_by, venue_id, report_type, start_date, end_date, format, location, object_key,
          size, sha256, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (id) DO UPDATE SET location = EXCLUDED.location, object_key = EXCLUDED.object_key,
          size = EXCLUDED.size, sha256 = EXCLUDED.sha256, created_at = now(), expires_at = EXCLUDED.expires_at`,
    },
    [
      id,
      requestedBy,
      venueId ?? null,
      reportType,
      startDate,
      endDate,
      format,
      location,
      key,
      size,
      sha256,
      report.expiresAt,
    ],
  );
}

interface ReportDbRow {
  id: string;
  requested_by: string;
  venue_id: string | null;
  report_type: string;
  start_date: string;
  end_date: string;
  format: string;
  location: 'folder' | 'bucket';
  object_key: string;
  size: number;
  sha256: string;
  expires_at: Date;
}

/** One that has not expired. */
export async function readReport(database: Queryable, id: string): Promise<StoredReport | undefined> {
  const rows = await database.query<ReportDbRow>(
    {
      text: `
        SELECT id, requested_by, venue_id, report_type, start_date::text, end_date::text, format, location, object_key,
          size::float8, sha256, expires_at
        FROM reports WHERE id = $1 AND expires_at > now()`,
    },
    [id],
  );
  return rows.map((row) => ({
    id: row.id,
    requestedBy: row.requested_by,
    venueId: row.venue_id ?? undefined,
    reportType: row.report_type,
    startDate: row.start_date,
    endDate: row.end_date,
    format: row.format,
    location: row.location,
    key: row.object_key,
    size: row.size,
    sha256: row.sha256,
    expiresAt: row.expires_at,
  }))[0];
}

/** Up to `limit` keys of reports in that location whose time has come. */
export async function readExpiredReports(
  database: Queryable,
  location: string,
  limit: number,
): Promise<{ id: string; key: string }[]> {
  return database.query<{ id: string; key: string }>(
    {
      text: `
        SELECT id, object_key AS key FROM reports WHERE expires_at <= now() AND location = $1
        ORDER BY expires_at LIMIT $2`,
    },
    [location, limit],
  );
}

export async function deleteReports(database: Queryable, ids: string[]): Promise<void> {
  await database.query({ text: 'DELETE FROM reports WHERE id = ANY($1::uuid[]) AND expires_at <= now()' }, [ids]);
}
