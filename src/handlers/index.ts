import type { AnalyticsStore } from '../providers/analytics-store/store';
import type { ReportArchive } from '../providers/report-store/archive';
import type { SquareAdapter } from '../providers/square/adapter';
import type { StripeAdapter } from '../providers/stripe/adapter';
import { analyticsTrackHandler } from './analytics-track';
import { canaryHandlers } from './canaries';
import { cleanupOldDataHandler, type OldData } from './cleanup-old-data';
import { generateReportHandler } from './generate-report';
import type { Handler } from './handler';
import { nftMintHandler, type Minters } from './nft-mint';
import { paymentProcessHandler } from './payment-process';
import { payoutProcessHandler } from './payout-process';
import { refundProcessHandler } from './refund-process';
import type { FindJob } from './refundable';
import type { MoneyRecords } from './reports/source';
import { sendEmailHandler, type Mailer } from './send-email';
import { sendPushHandler, type Pusher } from './send-push';
import { sendSmsHandler, type Texter } from './send-sms';
import { webhookDeliverHandler, type Deliverer } from './webhook-deliver';
import { webhookProcessHandler, type KeepReport } from './webhook-process';

export interface ProviderAdapters {
  /** Absent where Stripe is not used. */
  stripe: StripeAdapter | undefined;
  /** Absent where Square is not used. */
  square: SquareAdapter | undefined;
  analytics: AnalyticsStore;
  oldData: OldData;
  /** Of the chains that are configured. */
  minters: Minters;
  /** Absent where reports have no place. */
  reports: ReportArchive | undefined;
  /** Absent where no mails are sent. */
  mailer: Mailer | undefined;
  /** Absent where no text messages are sent. */
  texter: Texter | undefined;
  /** Absent where no notifications are sent. */
  pusher: Pusher | undefined;
  /** Absent where nobody is called back. */
  deliverer: Deliverer | undefined;
}

/** Every handler there is, by job type. */
export function createHandlers(
  adapters: ProviderAdapters,
  findJob: FindJob,
  keepReport: KeepReport,
  records: MoneyRecords,
): Map<string, Handler> {
  return new Map([
    ...canaryHandlers,
    paymentProcessHandler(adapters),
    refundProcessHandler(adapters, findJob),
    ...(adapters.stripe ? [payoutProcessHandler(adapters.stripe)] : []),
    nftMintHandler(adapters.minters),
    analyticsTrackHandler(adapters.analytics),
    cleanupOldDataHandler(adapters.oldData),
    webhookProcessHandler(adapters.stripe, keepReport),
    ...(adapters.reports ? [generateReportHandler(records, adapters.reports)] : []),
    ...(adapters.mailer ? [sendEmailHandler(adapters.mailer)] : []),
    ...(adapters.texter ? [sendSmsHandler(adapters.texter)] : []),
    ...(adapters.pusher ? [sendPushHandler(adapters.pusher)] : []),
    ...(adapters.deliverer ? [webhookDeliverHandler(adapters.deliverer)] : []),
  ]);
}
