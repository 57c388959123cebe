import { QUEUES, TIERS } from '../contract/names';
import type { CloudEvent } from '../contract/envelope';
import type { Problem } from '../platform/json-problems';
import type { Delivery } from '../platform/rabbitmq/consumer';
import { decodeEvent, type PartialEvent } from './decode';
import { firstPlace, type Place, type Wait } from './detour';
import { mapDomainEvent } from './domain-events';
import { requestKeyOf } from './keys';
import type { IntakeRequest, Offer, Rejection, RejectionCode } from './request';
import { validateJobRequest } from './validate-request';

/** A message asks for jobs, or is refused as a whole. */
export type ReadMessage = { event: CloudEvent; from: Place; offers: Offer[] } | { rejection: Rejection };

/** A delivery → the jobs that it asks for, or every problem with it. Never throws for what a message says. */
export function readMessage(
  delivery: Pick<Delivery, 'queue' | 'routingKey' | 'content' | 'contentType' | 'headers'>,
): ReadMessage {
  const from = firstPlace(delivery);
  const decoded = decodeEvent(delivery.content, delivery.contentType);
  if ('partial' in decoded) return { rejection: unreadable(delivery, from.queue, decoded.partial, decoded.problems) };
  const { event } = decoded;
  const read = requestsOf(event, from);
  if (!('requests' in read)) {
    return { rejection: refuse(delivery, from.queue, event, read.code, read.problems, read.type) };
  }
  const meant = read.requests.filter(({ type }) => isMeant(type, from.wait));
  // A deploy has taken its jobs away: acknowledged, they would be gone without a word.
  if (from.wait && meant.length === 0) {
    return { rejection: refuse(delivery, from.queue, event, 'WRONG_QUEUE', strandedIn(from.wait), undefined) };
  }
  return { event, from, offers: meant.map((request) => toOffer(request, delivery, from)) };
}

function isMeant({ name, queue }: IntakeRequest['type'], wait: Wait | undefined): boolean {
  if (!wait) return true;
  return wait.types ? wait.types.includes(name) : queue === wait.tier;
}

function strandedIn({ tier, types }: Wait): Problem[] {
  const jobs = types ? `for ${types.join(', ')}, which it does not ask for` : 'which none of its jobs belongs to';
  return [{ path: '(queue)', message: `it waited for the ${tier} tier, ${jobs} any more` }];
}

type Requests = { requests: IntakeRequest[] } | { code: RejectionCode; problems: Problem[]; type: string | undefined };

function requestsOf(event: CloudEvent, { queue, routingKey }: Place): Requests {
  if (queue === QUEUES.domainEvents) {
    const mapped = mapDomainEvent(event, routingKey);
    return 'requests' in mapped ? mapped : { ...mapped, type: undefined };
  }
  const validated = validateJobRequest(event, routingKey);
  return 'request' in validated ? { requests: [validated.request] } : validated;
}

/** In its tier's own queue it holds up nobody else, and waits there. */
function toOffer(
  request: IntakeRequest,
  { queue, content }: Pick<Delivery, 'queue' | 'content'>,
  { wait }: Place,
): Offer {
  const isInPlace = queue === QUEUES.requests[request.type.queue];
  const wasMovedHere = wait?.moved === true && queue === QUEUES.requests[wait.tier];
  return { request, body: content, mayDetour: !isInPlace && !wasMovedHere };
}

/** The refusal of a message that ended the processes which read it; reads of it only what is safe. */
export function poisonRejection(delivery: Delivery): Rejection {
  return {
    ...refusal(delivery, firstPlace(delivery).queue, 'POISON_MESSAGE'),
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

/** How the place that a refused message came from is called in the routing key of its answer. */
function originOf(queue: string): string {
  const tier = TIERS.find((name) => QUEUES.requests[name] === queue);
  if (tier) return tier;
  return queue === QUEUES.domainEvents ? 'events' : 'other';
}
