import type { CloudEvent } from '../contract/envelope';
import { CONTENT_TYPE, QUEUES, TIERS, type Tier } from '../contract/names';
import type { Delivery } from '../platform/rabbitmq/consumer';
import type { OutgoingMessage } from '../platform/rabbitmq/publisher';

/** Where a message was sent by its publisher, which decides how it is read. */
export interface Place {
  queue: string;
  routingKey: string;
  /** What it waits for, where it took the way round; the rest was taken where it came from. */
  wait: Wait | undefined;
}

/** Of the jobs that a message asks for, those that it took the way round for. */
export interface Wait {
  /** In whose queue it waits. */
  tier: Tier;
  /** By their types: a deploy may move them to another tier meanwhile. A message of an earlier version does not tell. */
  types: string[] | undefined;
  /** It waited for them in another tier before, and is not sent on again: replicas of two versions need not agree. */
  moved: boolean;
}

const FIRST_QUEUE = 'first-queue';
const FIRST_ROUTING_KEY = 'first-routing-key';
const WAITS_FOR = 'waits-for';
const MOVED = 'moved';

/**
 * The way round: the message itself, byte for byte, to the request queue of a tier that cannot take it now. There it
 * waits for that tier alone, whereas here it would hold up the others. It keeps its identity, so that it makes no second
 * job when the process dies before it has acknowledged the message here.
 *
 * It goes by the default exchange, straight to the queue: by `jobs.requests` a missing binding would bring it back.
 */
export function detourOf(
  { content }: Pick<Delivery, 'content'>,
  event: CloudEvent,
  from: Place,
  to: Tier,
  types: string[],
): OutgoingMessage {
  const { id, type, correlationid, traceparent } = event;
  return {
    messageId: id,
    exchange: '',
    routingKey: QUEUES.requests[to],
    body: content,
    contentType: CONTENT_TYPE,
    type,
    ...(correlationid === undefined ? {} : { correlationId: correlationid }),
    headers: {
      ...(traceparent === undefined ? {} : { traceparent }),
      [FIRST_QUEUE]: from.queue,
      [FIRST_ROUTING_KEY]: from.routingKey,
      [WAITS_FOR]: types.join(' '),
      ...(from.wait && (from.wait.moved || from.wait.tier !== to) ? { [MOVED]: 'yes' } : {}),
    },
    mandatory: true,
  };
}

/** Where a message was first, whatever ways round it has taken since. */
export function firstPlace(delivery: Pick<Delivery, 'queue' | 'routingKey' | 'headers'>): Place {
  const { headers, routingKey } = delivery;
  const queue = queueBeforeDeath(delivery);
  const tier = TIERS.find((name) => QUEUES.requests[name] === queue);
  // Only the default exchange delivers by the name of a queue; what is published as a request cannot pretend it.
  const [firstQueue, firstKey] = [headers[FIRST_QUEUE], headers[FIRST_ROUTING_KEY]];
  if (tier && routingKey === queue && typeof firstQueue === 'string' && typeof firstKey === 'string') {
    return { queue: firstQueue, routingKey: firstKey, wait: waitOf(headers, tier) };
  }
  return { queue, routingKey, wait: undefined };
}

function waitOf(headers: Record<string, unknown>, tier: Tier): Wait {
  const types = headers[WAITS_FOR];
  return { tier, types: typeof types === 'string' ? types.split(' ') : undefined, moved: headers[MOVED] !== undefined };
}

/** The queue that the broker gave a message up in. It notes it when it dead-letters; a publisher could too. */
function queueBeforeDeath({ queue, headers }: Pick<Delivery, 'queue' | 'headers'>): string {
  const first = headers['x-first-death-queue'];
  return queue === QUEUES.deadRequests && typeof first === 'string' ? first : queue;
}
