import { eventMessage } from '../contract/envelope';
import { EXCHANGES, JOB_REQUESTED } from '../contract/names';
import type { OutboxMessage } from '../outbox/rows';
import { uuidV5 } from '../platform/ids';
import type { IntakeRequest } from './request';

/**
 * A job that a domain event asks for, as a request of its own to its tier's queue, where it waits while the tier cannot
 * take it: a tier that is away must not hold up the events, and with them the others. It keeps the event's source, so that
 * its outcome finds the same requester, and a key of its own, so that asking both ways makes one job.
 */
export function detourOf({ type, data, options, ...request }: IntakeRequest): OutboxMessage {
  const { source, correlationId, traceparent } = request;
  return {
    ...eventMessage({
      id: uuidV5(request.requestKey, 'detour'),
      source,
      type: JOB_REQUESTED,
      correlationId,
      traceparent,
      data: { queue: type.queue, type: type.name, data, options, idempotencyKey: request.idempotencyKey.key },
    }),
    orderingKey: request.requestKey,
    exchange: EXCHANGES.requests,
    routingKey: `${type.queue}.${type.name}`,
    alsoTo: [],
    mandatory: true,
  };
}
