import { QUEUES, TIERS } from '../contract/names';
import type { CloudEvent } from '../contract/envelope';
import type { Delivery } from '../platform/rabbitmq/consumer';
import { decodeEvent, type PartialEvent } from './decode';
import { mapDomainEvent } from './domain-events';
import { requestKeyOf } from './keys';
import type { Offer, Rejection, RejectionCode } from './request';
import { validateJobRequest } from './validate-request';

/** A message asks for jobs, or is refused as a whole. */
export type ReadMessage = { offers: Offer[] } | { rejection: Rejection };

/** A delivery → the jobs that it asks for, or every problem with it. Never throws for what a message says. */
export function readMessage(
  delivery: Pick<Delivery, 'queue' | 'routingKey' | 'content' | 'contentType' | 'headers'>,
): ReadMessage {
  const queue = firstQueue(delivery);
  const decoded = decodeEvent(delivery.content, delivery.contentType);
  if ('partial' in decoded) return { rejection: unreadable(delivery, queue, decoded.partial, decoded.problems) };
  const { event } = decoded;
  if (queue === QUEUES.domainEvents) {
    const mapped = mapDomainEvent(event, delivery.routingKey);
    if ('requests' in mapped)
      return { offers: mapped.requests.map((request) => ({ request, body: delivery.content, mayDetour: true })) };
    return { rejection: refuse(delivery, queue, event, mapped.code, mapped.problems, undefined) };
  }
  const validated = validateJobRequest(event, delivery.routingKey);
  if ('request' in validated)
    return { offers: [{ request: validated.request, body: delivery.content, mayDetour: false }] };
  return { rejection: refuse(delivery, queue, event, validated.code, validated.problems, validated.type) };
}

/** The refusal of a message that ended the processes which read it; reads of it only what is safe. */
export function poisonRejection(delivery: Delivery): Rejection {
  return {
    ...refusal(delivery, firstQueue(delivery), 'POISON_MESSAGE'),
    problems: [{ path: '(message)', message: 'ended three processes that read it; it was not read again' }],
  };
}

function unreadable(
  delivery: Pick<Delivery, 'content'>,
  queue: string,
  partial: PartialEvent,
  problems: Rejection['problems'],
): Rejection {
  const { id, source, correlationId, traceparent } = partial;
  return {
    ...refusal(delivery, queue, 'UNREADABLE'),
    problems,
    requestId: id,
    source,
    correlationId,
    traceparent,
    requestKey: id !== undefined && source !== undefined ? requestKeyOf(source, id) : undefined,
  };
}

function refuse(
  delivery: Pick<Delivery, 'content'>,
  queue: string,
  event: CloudEvent,
  code: RejectionCode,
  problems: Rejection['problems'],
  type: string | undefined,
): Rejection {
  return {
    ...refusal(delivery, queue, code),
    problems,
    type,
    requestId: event.id,
    source: event.source,
    correlationId: event.correlationid,
    traceparent: event.traceparent,
    requestKey: requestKeyOf(event.source, event.id),
  };
}

function refusal(delivery: Pick<Delivery, 'content'>, queue: string, code: RejectionCode): Rejection {
  return {
    code,
    problems: [],
    origin: originOf(queue),
    type: undefined,
    requestId: undefined,
    source: undefined,
    correlationId: undefined,
    traceparent: undefined,
    idempotencyKey: undefined,
    requestKey: undefined,
    jobId: undefined,
    body: delivery.content,
  };
}

/** The queue that the publisher's message was routed to. The broker notes it when it dead-letters; a publisher could too. */
function firstQueue(delivery: Pick<Delivery, 'queue' | 'headers'>): string {
  const first = delivery.headers['x-first-death-queue'];
  return delivery.queue === QUEUES.deadRequests && typeof first === 'string' ? first : delivery.queue;
}

/** How the place that a refused message came from is called in the routing key of its answer. */
function originOf(queue: string): string {
  const tier = TIERS.find((name) => QUEUES.requests[name] === queue);
  if (tier) return tier;
  return queue === QUEUES.domainEvents ? 'events' : 'other';
}
