import type { ReportReady } from '../../catalogue/email-templates';
import { only, type MailContent } from './content';
import { formatDay, formatMoment } from '../../platform/dates';

/** A report that can be fetched. */
export function reportReadyContent(to: string, report: ReportReady): MailContent {
  const { reportType, venueName, startDate, endDate, format, url, expiresAt } = report;
  return {
    policy: 'atLeastOnce',
    optional: false,
    subject: `Your report is ready: ${reportType}`,
    view: {
      reportType,
      venueName: venueName ?? null,
      period: `${formatDay(startDate)} to ${formatDay(endDate)}`,
      format: format.toUpperCase(),
      url,
      expires: expiresAt === undefined ? null : formatMoment(expiresAt, 'UTC'),
    },
    recipients: only(to),
  };
}
