/** Stripe's webhooks: "Receive Stripe events in your webhook endpoint" (docs.stripe.com/webhooks). */
import { z } from 'zod';
import { webhookProcess, type StripeObject } from '../../catalogue/webhook-process';
import { parseJson } from '../../platform/parse-json';
import { asReport, opened, type OpenWebhook, type ReadEvent } from '../webhook';
import { loadSdk } from './client';

/** Seconds that a signature is good for; Stripe signs anew whenever it sends an event again. */
const TOLERANCE_S = 300;

const reference = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

/** The part of an event that the service relies on. Amounts and states in it are old when it is read: they are not. */
const stripeEvent = z.object({
  id: z.string().startsWith('evt_'),
  object: z.literal('event'),
  type: z.string(),
  created: z.int(),
  account: z.string().nullish(),
  data: z.object({ object: z.object({ id: z.string(), payment_intent: reference.nullish() }) }),
});

/** Events that are of use, and the object whose state they say has changed. */
const OBJECT_OF: ReadonlyMap<string, StripeObject> = new Map([
  ['payment_intent.succeeded', 'payment'],
  ['payment_intent.payment_failed', 'payment'],
  ['payment_intent.canceled', 'payment'],
  ['charge.refunded', 'refunded_payment'],
  ['refund.created', 'refund'],
  ['refund.updated', 'refund'],
  ['refund.failed', 'refund'],
  ['charge.dispute.created', 'dispute'],
  ['transfer.created', 'transfer'],
  ['payout.created', 'payout'],
  ['payout.paid', 'payout'],
  ['payout.failed', 'payout'],
  ['payout.canceled', 'payout'],
]);

/** @param secrets any of them will do: each endpoint at Stripe has its own, and has two while one is exchanged */
export function openStripeWebhook(secrets: readonly string[]): OpenWebhook {
  return ({ body, header }) => {
    const signature = header('Stripe-Signature');
    if (signature === undefined || !secrets.some((secret) => isSigned(body, signature, secret))) {
      return { kind: 'forged' };
    }
    const json = parseJson(body);
    const event = 'value' in json ? stripeEvent.safeParse(json.value).data : undefined;
    return event ? opened([read(event)]) : { kind: 'unreadable' };
  };
}

function isSigned(body: Buffer, signature: string, secret: string): boolean {
  try {
    return loadSdk().webhooks.signature?.verifyHeader(body, signature, secret, TOLERANCE_S) ?? false;
  } catch {
    // The SDK says so by an error, whose text repeats the body.
    return false;
  }
}

function read({ id, type, created, account, data: { object } }: z.infer<typeof stripeEvent>): ReadEvent {
  const kind = OBJECT_OF.get(type);
  // A charge is looked at by its PaymentIntent; one without is none of ours.
  const objectId = type === 'charge.refunded' ? object.payment_intent : object.id;
  if (!kind || !objectId) return 'ignored';
  return asReport(webhookProcess.payload, {
    provider: 'stripe',
    eventId: id,
    event: type,
    object: kind,
    objectId,
    ...(account ? { accountId: account } : {}),
    occurredAt: new Date(created * 1_000).toISOString(),
  });
}
