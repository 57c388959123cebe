import { reportRoutes } from '../admin/report-routes';
import type { Route } from '../admin/route';
import { contentTypeOf } from '../handlers/generate-report';
import type { MoneyRecords } from '../handlers/reports/source';
import { readMoneyEffects, readMoneyJobs } from '../jobs/money-jobs';
import { readUntold } from '../outbox/rows';
import type { Queryable } from '../platform/postgres/database';
import { ReportArchive } from '../providers/report-store/archive';
import { createReportBucket } from '../providers/report-store/bucket';
import { createReportFolder } from '../providers/report-store/folder';
import type { Foundation } from './foundation';

/** Where reports are kept; undefined where they have no place. */
export function composeArchive({
  config,
  database,
}: Pick<Foundation, 'config' | 'database'>): ReportArchive | undefined {
  const { reports } = config;
  if (!reports) return undefined;
  const place = 'folder' in reports ? createReportFolder(reports.folder) : createReportBucket(reports);
  return new ReportArchive(database, place);
}

/** What reports are about. */
export function composeMoneyRecords(database: Queryable): MoneyRecords {
  return {
    readJobs: (filter, after, before) => readMoneyJobs(database, filter, after, before),
    readEffects: (jobIds) => readMoneyEffects(database, jobIds),
    readUntold: (jobIds) => readUntold(database, jobIds),
  };
}

export function composeReportRoutes(foundation: Foundation): Route[] {
  const archive = composeArchive(foundation);
  if (!archive) return [];
  return reportRoutes(
    { find: (id) => archive.find(id), open: (report) => archive.open(report), contentTypeOf },
    foundation.config.http.answerTimeoutMs,
    foundation.log,
  );
}
