import {
  webhookProcess,
  type SendGridReport,
  type StripeReport,
  type TwilioReport,
  type WebhookPayload,
  type WebhookResult,
} from '../catalogue/webhook-process';
import { announce, type Announcement } from '../contract/published-events';
import { isUnavailable } from '../platform/postgres/errors';
import type { Reported, StripeAdapter } from '../providers/stripe/adapter';
import { defineHandler, type HandlerContext } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';

/** A report with everything that follows from it. */
export interface TakenReport {
  report: WebhookPayload;
  /** The job as which it was taken. */
  takenBy: string;
  /** The job that it is about. */
  jobId: string | undefined;
  /** An effect of that job, and what became of it by the provider's word of now. */
  effect: ReportedEffect | undefined;
  announcements: Announcement[];
}

/** Which effect it must be is told by the object, not by its metadata: a venue can write those of its own objects. */
export interface ReportedEffect {
  providerKey: string;
  name: string;
  /** The connected account whose object it is. */
  accountId: string | undefined;
  became: Reported['became'];
}

export type KeptReport =
  /** Kept, with all that follows from it; `published` are the names of the domain events that nobody had told. */
  | { kind: 'kept'; published: string[] }
  /** The job that it is about runs at this moment, and may settle by what it knew before: to be seen to afterwards. */
  | { kind: 'jobRuns' }
  /** The job is in doubt and the customer could still make happen what nobody waits for: to be closed first. */
  | { kind: 'toClose' };

/** Keeps a report, tells its job, and publishes what follows, at once or not at all. @throws when it cannot */
export type KeepReport = (taken: TakenReport) => Promise<KeptReport>;

const LOOK_AGAIN_MS = 1_000;
const RECORDS_AWAY_MS = 5_000;

/** Takes in what a provider reports. Done twice it is done once, so it needs no entry in the ledger of effects. */
export function webhookProcessHandler(stripe: StripeAdapter | undefined, keep: KeepReport) {
  return defineHandler(webhookProcess, async (report, context) => {
    const outcome = await take(stripe, keep, report, context, false);
    return outcome === 'toClose' ? closed(await take(stripe, keep, report, context, true)) : outcome;
  });
}

async function take(
  stripe: StripeAdapter | undefined,
  keep: KeepReport,
  report: WebhookPayload,
  context: HandlerContext,
  close: boolean,
): Promise<HandlerOutcome<WebhookResult> | 'toClose'> {
  const taken = report.provider === 'stripe' ? await ask(stripe, report, context, close) : read(report, context);
  if ('kind' in taken) return taken;
  try {
    const kept = await keep(taken);
    if (kept.kind === 'jobRuns') return { kind: 'snooze', code: 'JOB_RUNNING', afterMs: LOOK_AGAIN_MS };
    if (kept.kind === 'toClose') return 'toClose';
    return done<WebhookResult>({ jobId: taken.jobId ?? null, published: kept.published });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return { kind: 'snooze', code: 'RECORDS_UNAVAILABLE', afterMs: RECORDS_AWAY_MS };
  }
}

/** What was closed is open no more; should it be all the same, it is looked at again. */
function closed(outcome: HandlerOutcome<WebhookResult> | 'toClose'): HandlerOutcome<WebhookResult> {
  if (outcome !== 'toClose') return outcome;
  return { kind: 'retry', code: 'STILL_OPEN', message: 'a payment that was given up is open again' };
}

/** Whatever the report says, the object's state of now counts: reports come late, twice, and in any order. */
async function ask(
  stripe: StripeAdapter | undefined,
  report: StripeReport,
  { jobId: takenBy, effects }: HandlerContext,
  close: boolean,
): Promise<TakenReport | HandlerOutcome<never>> {
  if (!stripe) return NOT_USED;
  const answer = await effects.look((limits) => stripe.readReported(report, { ...limits, close }));
  if (answer.kind === 'ended') return answer.outcome;
  if (answer.kind !== 'done') {
    const { code, message } = answer.kind === 'absent' ? NO_ANSWER : answer;
    return { kind: 'retry', code, message };
  }
  const { ours, became, announcements } = answer.value;
  const { object, accountId } = report;
  const effect = ours && { providerKey: ours.providerKey, name: EFFECTS[object], accountId, became };
  return { report, takenBy, jobId: ours?.jobId, effect, announcements };
}

/** As the handlers that ask for them name them. */
const EFFECTS: Record<StripeReport['object'], string> = {
  payment: 'charge',
  refunded_payment: 'charge',
  dispute: 'charge',
  refund: 'refund',
  transfer: 'transfer',
  payout: 'payout',
};

const NOT_USED = failed('TYPE_UNAVAILABLE', 'STRIPE_SECRET_KEY is not set: Stripe cannot be asked', {
  replayable: true,
});
const NO_ANSWER = { code: 'UNREADABLE_ANSWER', message: 'Stripe does not tell what became of it' };

/** What these report is true for ever. */
function read(report: SendGridReport | TwilioReport, { jobId: takenBy }: HandlerContext): TakenReport {
  const announcements = report.provider === 'sendgrid' ? [announcementOf(report)] : [];
  return { report, takenBy, jobId: report.jobId, effect: undefined, announcements };
}

function announcementOf({ eventId, event, objectId, jobId, addressDigest, occurredAt }: SendGridReport): Announcement {
  const mail = {
    provider: 'sendgrid' as const,
    messageId: objectId,
    jobId: jobId ?? null,
    addressDigest,
    at: new Date(occurredAt).toISOString(),
  };
  if (event === 'bounced' || event === 'blocked') {
    return announce('email.bounced', eventId, { ...mail, isPermanent: event === 'bounced' });
  }
  return announce(`email.${event}`, eventId, mail);
}
