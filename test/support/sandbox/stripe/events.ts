/** What Stripe tells of by webhook, signed as the SDK's own helper signs it. Kept, so that a test sends it when it likes. */
import Stripe from 'stripe';
import { keepPosting, postWebhook, type Webhook } from '../webhooks';
import { newId } from './objects';

/** The part of an event that matters, in Stripe's names. */
export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: object };
  livemode: false;
  pending_webhooks: number;
  request: null;
  type: string;
  account?: string;
}

export interface WebhookEndpoint {
  url: string;
  /** `whsec_…` */
  secret: string;
}

/** Tells of what happened to an object, in the account that it belongs to. */
export type Emit = StripeEvents['emit'];

/** What an object is called by; what belongs to a PaymentIntent also by that. */
interface Named {
  id: string;
  object: string;
  payment_intent?: string;
  metadata?: Record<string, string> | null;
}

export class StripeEvents {
  readonly #events: { event: StripeEvent; named: Named }[] = [];
  #endpoint: WebhookEndpoint | undefined;

  /** From now on every event is sent here as it happens. */
  sendTo(endpoint: WebhookEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** @param account the connected account that it happened in */
  emit(type: string, object: Named, account?: string): void {
    const event: StripeEvent = {
      id: newId('evt'),
      object: 'event',
      api_version: '2026-10-28.endive',
      created: Math.floor(Date.now() / 1_000),
      // As it is now: whatever becomes of it later stands in other events.
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: null,
      type,
      ...(account === undefined ? {} : { account }),
    };
    this.#events.push({ event, named: object });
    const endpoint = this.#endpoint;
    if (endpoint) void keepPosting(endpoint.url, () => sign(event, endpoint.secret));
  }

  /** The latest about anything that a job asked for, with the id of that. */
  latestOf(jobId: string): { event: StripeEvent; about: string } | undefined {
    const found = this.#events.findLast(({ named }) => named.metadata?.['job_id'] === jobId);
    return found && { event: found.event, about: found.named.id };
  }

  /** The latest of a type about an object, or about the PaymentIntent that it belongs to. */
  find(type: string, about: string): StripeEvent {
    const found = this.#events.findLast(
      ({ event, named }) => event.type === type && (named.id === about || named.payment_intent === about),
    );
    if (!found) throw new Error(`nothing was told of ${type} about ${about}`);
    return found.event;
  }
}

/** @param ageSeconds how long ago it is said to have been signed */
export function sign(event: unknown, secret: string, ageSeconds = 0): Webhook {
  const body = JSON.stringify(event);
  const timestamp = Math.floor(Date.now() / 1_000) - ageSeconds;
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { body, headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature } };
}

/** Sends an event now, and answers with the status. */
export function sendEvent(event: StripeEvent, { url, secret }: WebhookEndpoint): Promise<number> {
  return postWebhook(url, sign(event, secret));
}
