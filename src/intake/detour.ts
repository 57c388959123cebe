import type { CloudEvent } from '../contract/envelope';
import { CONTENT_TYPE, QUEUES, TIERS, type Tier } from '../contract/names';
import type { Delivery } from '../platform/rabbitmq/consumer';
import type { OutgoingMessage } from '../platform/rabbitmq/publisher';

/** Where a message was sent by its publisher, which decides how it is read. */
export interface Place {
  queue: string;
  routingKey: string;
  /** Of the jobs that it asks for, only those of this tier are meant: the others were taken where it came from. */
  tier: Tier | undefined;
}

const FIRST_QUEUE = 'first-queue';
const FIRST_ROUTING_KEY = 'first-routing-key';

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
    return { queue: firstQueue, routingKey: firstKey, tier };
  }
  return { queue, routingKey, tier: undefined };
}

/** The queue that the broker gave a message up in. It notes it when it dead-letters; a publisher could too. */
function queueBeforeDeath({ queue, headers }: Pick<Delivery, 'queue' | 'headers'>): string {
  const first = headers['x-first-death-queue'];
  return queue === QUEUES.deadRequests && typeof first === 'string' ? first : queue;
}
