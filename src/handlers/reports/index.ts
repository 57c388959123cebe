import type { ReportType } from '../../catalogue/generate-report';
import { payoutReport } from './payouts';
import { reconciliationReport } from './reconciliation';
import type { Report } from './report';
import { salesReport } from './sales';
import { taxSummary } from './tax-summary';

export const REPORTS: Readonly<Record<ReportType, Report>> = {
  sales: salesReport,
  reconciliation: reconciliationReport,
  payouts: payoutReport,
  'tax-summary': taxSummary,
};
