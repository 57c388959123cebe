import type { z } from 'zod';
import { analyticsTrack } from './analytics-track';
import { canaryBackground, canaryCommunication, canaryMoney } from './canaries';
import { cleanupOldData } from './cleanup-old-data';
import { generateReport } from './generate-report';
import type { JobType } from './job-type';
import { nftMint } from './nft-mint';
import { paymentProcess } from './payment-process';
import { payoutProcess } from './payout-process';
import { refundProcess } from './refund-process';
import { sendEmail } from './send-email';
import { sendPush } from './send-push';
import { sendSms } from './send-sms';
import { webhookDeliver } from './webhook-deliver';
import { webhookProcess } from './webhook-process';

/** Every job type there is. A type is added here and in handlers/index.ts, nowhere else. */
const JOB_TYPES = {
  'payment-process': paymentProcess,
  'refund-process': refundProcess,
  'payout-process': payoutProcess,
  'nft-mint': nftMint,
  'send-email': sendEmail,
  'send-sms': sendSms,
  'send-push': sendPush,
  'webhook-deliver': webhookDeliver,
  'analytics-track': analyticsTrack,
  'cleanup-old-data': cleanupOldData,
  'webhook-process': webhookProcess,
  'generate-report': generateReport,
  'canary-money': canaryMoney,
  'canary-communication': canaryCommunication,
  'canary-background': canaryBackground,
} as const;

export type JobTypeName = keyof typeof JOB_TYPES;

/** What a requester writes: before defaults are filled in. */
export type PayloadOf<Name extends JobTypeName> = z.input<(typeof JOB_TYPES)[Name]['payload']>;
/** What the `completed` outcome of the type carries. */
export type ResultOf<Name extends JobTypeName> = z.output<(typeof JOB_TYPES)[Name]['result']>;

export const jobTypes: readonly JobType[] = Object.values(JOB_TYPES);

const byName: ReadonlyMap<string, JobType> = new Map(jobTypes.map((type) => [type.name, type]));

export function findJobType(name: string): JobType | undefined {
  return byName.get(name);
}
