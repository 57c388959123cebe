import { z } from 'zod';
import { webhookDeliver } from '../catalogue/webhook-deliver';
import { MAX_BODY_BYTES } from '../contract/names';
import { SUBSCRIBER_GONE, type Callback, type SubscriberAdapter } from '../providers/subscriber/adapter';
import { whileAvailable } from './available';
import { defineHandler, type EffectResult, type UnkeyedEffect } from './handler';
import { done, failed } from './outcome';

/** Names a delivery. */
interface DeliveryKey {
  subscriptionId: string;
  eventId: string;
}

export interface Deliverer {
  subscriber: SubscriberAdapter;
  deliveries: {
    /** `ended`: nothing is sent to its subscriber any more. */
    read: (key: DeliveryKey) => Promise<Omit<Callback, 'id'> | 'delivered' | 'ended'>;
    note: (key: DeliveryKey, state: 'pending' | 'delivered' | 'failed', answer: string) => Promise<void>;
    /** Nothing more is sent to this subscriber. */
    disable: (subscriptionId: string, reason: string) => Promise<void>;
  };
}

const answered = z.object({ status: z.int() });

/** Tells a subscriber of an outcome, with a stable id: it may hear of it twice, and can tell. */
export function webhookDeliverHandler({ subscriber, deliveries }: Deliverer) {
  return defineHandler(webhookDeliver, async (key, context) => {
    const callback = await whileAvailable(deliveries.read(key));
    if (callback === undefined) return DELIVERIES_UNAVAILABLE;
    if (callback === 'ended') return ENDED;
    // By an attempt whose process died before it could say so.
    if (callback === 'delivered') return delivered();
    if (Buffer.byteLength(callback.body) > MAX_BODY_BYTES) {
      await whileAvailable(deliveries.note(key, 'failed', 'BODY_TOO_LARGE'));
      return failed('BODY_TOO_LARGE', 'the outcome has more than 1 MiB', NOT_AGAIN);
    }
    const sent = await context.effects.perform(deliverEffect(subscriber, { ...callback, id: key.eventId }));
    const wasLast = context.isLastAttempt && sent.kind === 'ended' && sent.outcome.kind === 'retry';
    const state = sent.kind === 'done' ? 'delivered' : wasLast || sent.kind === 'declined' ? 'failed' : 'pending';
    await whileAvailable(deliveries.note(key, state, wordFor(sent)));
    if (sent.kind === 'ended') return sent.outcome;
    if (sent.kind === 'done') return delivered();
    if (sent.code === SUBSCRIBER_GONE) await whileAvailable(deliveries.disable(key.subscriptionId, sent.code));
    return failed(sent.code, sent.message, NOT_AGAIN);
  });
}

function delivered() {
  return done({ deliveredAt: new Date().toISOString() });
}

function deliverEffect(subscriber: SubscriberAdapter, callback: Callback): UnkeyedEffect<{ status: number }> {
  return {
    name: 'deliver',
    intent: { provider: 'subscriber' },
    value: answered,
    policy: 'atLeastOnce',
    call: (limits) => subscriber.send(callback, limits),
  };
}

/** How an attempt went, for the log of deliveries. */
function wordFor(sent: EffectResult<{ status: number }>): string {
  if (sent.kind === 'done') return `HTTP_${sent.value.status}`;
  if (sent.kind === 'declined') return sent.code;
  return 'code' in sent.outcome ? sent.outcome.code : sent.outcome.kind;
}

const NOT_AGAIN = { replayable: false };
const ENDED = failed('SUBSCRIPTION_ENDED', 'nothing is delivered to this subscription any more', NOT_AGAIN);
const DELIVERIES_UNAVAILABLE = {
  kind: 'retry',
  code: 'DELIVERIES_UNAVAILABLE',
  message: 'what is to be delivered was not read; nothing was sent',
} as const;
