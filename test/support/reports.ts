import { createHash } from 'node:crypto';
import { generateReportHandler } from '../../src/handlers/generate-report';
import type { HandlerContext } from '../../src/handlers/handler';
import { composeMoneyRecords } from '../../src/composition/reports';
import type { Database } from '../../src/platform/postgres/database';
import { ReportArchive } from '../../src/providers/report-store/archive';
import type { ReportPlace } from '../../src/providers/report-store/place';
import { contextOf } from './handler-context';

/** Of January 2026. */
export const january = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  reportType: 'sales',
  startDate: '2026-01-01',
  endDate: '2026-01-31',
  format: 'csv',
  ...over,
});

/** One attempt of a report's job. */
export function makeReport(
  database: Database,
  place: ReportPlace,
  payload: Record<string, unknown>,
  over: Partial<HandlerContext> = {},
) {
  const archive = new ReportArchive(database, place);
  const [, handle] = generateReportHandler(composeMoneyRecords(database), archive);
  const context = contextOf(over);
  return { archive, jobId: context.jobId, outcome: handle(payload, context) };
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
