/**
 * Webhooks of providers. What is told becomes a job, whose claim is the record of it: only then the provider is answered, so
 * that whatever dies in between, it sends the same again. The same again is the same request, and nothing new.
 */
import type { Request, Response } from 'express';
import { webhookProcess, type WebhookPayload } from '../catalogue/webhook-process';
import { BASE_PATH, WEBHOOK_PROVIDERS, webhookPath, type WebhookProvider } from '../contract/http';
import { requestKeyOf } from '../intake/keys';
import type { IntakeRequest } from '../intake/request';
import type { Logger } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import type { OpenWebhook } from '../providers/webhook';
import { readBody } from './body';
import { HttpError } from './errors';
import type { Route } from './route';
import type { SubmitAnswer } from './submitter';

export interface WebhookSteps {
  submit: (request: IntakeRequest) => Promise<SubmitAnswer>;
  /** By provider; absent where its webhooks are not configured. */
  open: Partial<Record<WebhookProvider, OpenWebhook>>;
}

export type WebhookMetrics = ReturnType<typeof webhookMetrics>;

export function webhookMetrics(metrics: Metrics) {
  return {
    requests: metrics.counter('provider_webhook_requests_total', "Requests to the endpoints of providers' webhooks", [
      'provider',
      'outcome',
    ]),
    events: metrics.counter('provider_webhook_events_total', 'Events that providers reported', ['provider', 'outcome']),
  };
}

export function webhookRoutes(steps: WebhookSteps, metrics: WebhookMetrics, log: Logger): Route[] {
  return WEBHOOK_PROVIDERS.map((provider) => ({
    method: 'post',
    path: webhookPath(provider),
    // They bring no token: every request is signed, and nothing of it is believed before that is seen.
    access: 'everybody',
    handle: (request, response) => takeWebhook(provider, steps, metrics, log, request, response),
  }));
}

async function takeWebhook(
  provider: WebhookProvider,
  { submit, open }: WebhookSteps,
  metrics: WebhookMetrics,
  log: Logger,
  request: Request,
  response: Response,
): Promise<void> {
  const count = (outcome: string): void => metrics.requests.inc({ provider, outcome });
  const openOne = open[provider];
  if (!openOne) {
    count('not_configured');
    throw new HttpError('WEBHOOKS_UNAVAILABLE');
  }
  const body = await readBody(request, response);
  const opened = openOne({ body, target: request.originalUrl, header: (name) => request.get(name) });
  count(opened.kind);
  if (opened.kind === 'forged') throw new HttpError('SIGNATURE_INVALID');
  if (opened.kind === 'unreadable') throw new HttpError('UNREADABLE');
  const { reports, ignored, unreadable } = opened;
  metrics.events.inc({ provider, outcome: 'ignored' }, ignored);
  metrics.events.inc({ provider, outcome: 'unreadable' }, unreadable);
  if (unreadable > 0) log.warn('webhook events in an unknown form', { provider, events: unreadable });
  // One that is not taken has the provider send all again; those that were taken are known then.
  const answers = await Promise.all(reports.map((report) => submit(requestOf(report))));
  for (const answer of answers) {
    metrics.events.inc({ provider, outcome: answer.kind });
    // Another event under an id that was used: sent again it would be refused again.
    if (answer.kind === 'rejected') log.warn('webhook event refused', { provider, code: answer.code });
  }
  response.json({ received: reports.length, ignored: ignored + unreadable });
}

/** Made by nobody else: the same event always is the same request. */
function requestOf(report: WebhookPayload): IntakeRequest {
  const { provider, eventId } = report;
  const source = `${BASE_PATH}${webhookPath(provider)}`;
  return {
    type: webhookProcess,
    data: report,
    idempotencyKey: { callers: true, key: `webhook-${provider}-${eventId}` },
    options: {},
    // One after the other for each object.
    orderingKey: { scope: source, key: objectOf(report) },
    requestKey: requestKeyOf(source, eventId),
    requestId: eventId,
    source,
    correlationId: undefined,
    traceparent: undefined,
  };
}

/** What a report is about; of a mail to many, one recipient's. */
function objectOf(report: WebhookPayload): string {
  return report.provider === 'sendgrid' ? `${report.objectId}:${report.addressDigest}` : report.objectId;
}
