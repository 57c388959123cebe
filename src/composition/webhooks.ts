import type { WebhookSteps } from '../admin/webhook-routes';
import type { Config } from '../config';
import type { WebhookProvider } from '../contract/http';
import type { KeepReport } from '../handlers/webhook-process';
import { lockForDecision } from '../jobs/cancel';
import { readDoubtfulEffects } from '../jobs/doubt';
import { appendEffectFacts } from '../jobs/effects';
import { keepReport, takeUnannounced, wakeWaiting } from '../jobs/provider-reports';
import { appendToOutbox } from '../outbox/rows';
import type { Logger } from '../platform/logger';
import type { Database } from '../platform/postgres/database';
import { openSendGridWebhook } from '../providers/sendgrid/webhook';
import { openStripeWebhook } from '../providers/stripe/webhook';
import { suppress } from '../providers/suppression-list';
import { openTwilioWebhook } from '../providers/twilio/webhook';
import { settleDoubt } from '../recovery/doubt';
import { takeReport, type ReportSteps } from '../recovery/provider-reports';
import { doubtSteps } from './doubt';
import type { Foundation } from './foundation';

/** How each provider that is configured proves that a webhook is its own. */
export function composeOpeners({ webhooks: { stripeSecrets, sendgridKey, twilio } }: Config): WebhookSteps['open'] {
  return {
    ...(stripeSecrets && { stripe: openStripeWebhook(stripeSecrets) }),
    ...(sendgridKey && { sendgrid: openSendGridWebhook(sendgridKey) }),
    ...(twilio && { twilio: openTwilioWebhook(twilio.authToken, twilio.publicUrl) }),
  };
}

/** Says at the start whose webhooks will be refused, and why; answers with it, and with whose are taken. */
export function tellWebhooks(config: Config, log: Logger): Record<WebhookProvider, string> {
  const states = webhookStates(config);
  const why = Object.entries(states).flatMap(([provider, state]) => (state === TAKEN ? [] : [`${provider}: ${state}`]));
  if (why.length > 0) log.warn('webhooks of these providers are refused', { why });
  return states;
}

const TAKEN = 'taken';

/** Of each provider whether its webhooks are taken, or what is missing. */
function webhookStates({ webhooks }: Config): Record<WebhookProvider, string> {
  const { stripeSecrets, sendgridKey, twilio } = webhooks;
  return {
    stripe: stripeSecrets ? TAKEN : 'STRIPE_WEBHOOK_SECRET or STRIPE_SECRET_KEY is not set',
    sendgrid: sendgridKey ? TAKEN : 'SENDGRID_WEBHOOK_PUBLIC_KEY is not set',
    twilio: twilio ? TAKEN : 'TWILIO_AUTH_TOKEN or PUBLIC_URL is not set',
  };
}

/** How a report that was taken is kept, with all that follows from it. */
export function composeReports({ database, outboxSignal, callbacks, decorate }: Foundation): KeepReport {
  const steps: ReportSteps = {
    transaction: decorate<Database['transaction']>('take report', database.transaction.bind(database)),
    lock: lockForDecision,
    readEffects: readDoubtfulEffects,
    appendFacts: appendEffectFacts,
    wake: wakeWaiting,
    // Within the transaction of the report; the relay is told after that.
    settleDoubt: (tx, jobId, decision) =>
      settleDoubt(
        doubtSteps({
          transaction: (work) => work(tx),
          append: callbacks.append,
          wakeFeeder: () => undefined,
          signal: () => undefined,
        }),
        jobId,
        decision,
      ),
    keep: keepReport,
    suppress,
    takeUnannounced,
    append: appendToOutbox,
    signal: () => outboxSignal.send(),
  };
  return (taken) => takeReport(steps, taken);
}
