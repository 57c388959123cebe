import { generateReport, type ReportFormat } from '../catalogue/generate-report';
import { BASE_PATH } from '../contract/http';
import { isUnavailable } from '../platform/postgres/errors';
import { REPORT_KEEP_MS, type ReportArchive } from '../providers/report-store/archive';
import { defineHandler } from './handler';
import { done } from './outcome';
import { REPORTS } from './reports';
import type { MoneyRecords } from './reports/source';
import { writeReport } from './reports/write';

const CONTENT_TYPES: Readonly<Record<ReportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  pdf: 'application/pdf',
};

/** @param format as the reports' rows have it */
export function contentTypeOf(format: string): string {
  const known = Object.entries(CONTENT_TYPES).find(([name]) => name === format);
  return known?.[1] ?? 'application/octet-stream';
}

/**
 * Writes a report under the job's id. Done twice it is there once, the later one: it needs no entry in the ledger of
 * effects. What was begun and not finished is never seen.
 */
export function generateReportHandler(records: MoneyRecords, archive: ReportArchive) {
  return defineHandler(generateReport, async (payload, context) => {
    const { jobId, signal } = context;
    const { reportType, format } = payload;
    const reading = { records, payload, signal, onProgress: context.progress };
    const written = writeReport(REPORTS[reportType], reading);
    const expiresAt = new Date(Date.now() + REPORT_KEEP_MS);
    const { venueId, startDate, endDate } = payload;
    const about = {
      id: jobId,
      requestedBy: context.source,
      venueId,
      reportType,
      startDate,
      endDate,
      format,
      expiresAt,
    };
    try {
      const { size, sha256 } = await archive.keep(about, CONTENT_TYPES[format], written.content, signal);
      return done({
        reportId: jobId,
        url: `${BASE_PATH}/reports/${jobId}`,
        reportType,
        format,
        rows: written.rows(),
        totals: written.tally.totals(),
        size,
        sha256,
        expiresAt: expiresAt.toISOString(),
        processedAt: new Date().toISOString(),
      });
    } catch (error) {
      // Told to stop: whoever told knows what that means.
      if (signal.aborted || !isUnavailable(error)) throw error;
      return {
        kind: 'retry',
        code: 'REPORT_UNFINISHED',
        message: 'the records or the place for reports did not answer',
      };
    }
  });
}
