import { DOMAIN_EVENTS } from '../contract/domain-events';
import { EXCHANGES, QUEUES, TIERS } from '../contract/names';

export interface ExchangeDeclaration {
  name: string;
  type: 'topic' | 'fanout';
  arguments: Record<string, string>;
}

export interface QueueDeclaration {
  name: string;
  arguments: Record<string, string | number>;
}

export interface Binding {
  exchange: string;
  queue: string;
  routingKey: string;
}

/**
 * Deliveries without an acknowledgement before the broker gives a message up. High, since every crash of a process
 * counts against all messages it held: a poisonous one is found by the service's own counters long before.
 */
const DELIVERY_LIMIT = 100;

/** The largest that a 32-bit integer holds; RabbitMQ 3 does not know the -1 by which version 4 means "none". */
const NO_DELIVERY_LIMIT = 2_147_483_647;

/** Replicated, and nothing is dropped on the way to the dead letters: the source keeps it until they have it. */
const INTAKE_QUEUE_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': DELIVERY_LIMIT,
  'x-dead-letter-exchange': EXCHANGES.dead,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
} as const;

/** Exchanges, queues and bindings as data: the service asserts them, and topology/ is generated from them. */
export const TOPOLOGY: { exchanges: ExchangeDeclaration[]; queues: QueueDeclaration[]; bindings: Binding[] } = {
  exchanges: [
    { name: EXCHANGES.unrouted, type: 'fanout', arguments: {} },
    { name: EXCHANGES.requests, type: 'topic', arguments: { 'alternate-exchange': EXCHANGES.unrouted } },
    { name: EXCHANGES.domainEvents, type: 'topic', arguments: {} },
    { name: EXCHANGES.outcomes, type: 'topic', arguments: {} },
    { name: EXCHANGES.dead, type: 'topic', arguments: {} },
  ],
  queues: [
    ...TIERS.map((tier) => ({ name: QUEUES.requests[tier], arguments: INTAKE_QUEUE_ARGUMENTS })),
    { name: QUEUES.otherRequests, arguments: INTAKE_QUEUE_ARGUMENTS },
    { name: QUEUES.domainEvents, arguments: INTAKE_QUEUE_ARGUMENTS },
    // No dead-lettering of its own: nothing may fall out of the last queue. Without a limit, RabbitMQ 4 takes 20.
    { name: QUEUES.deadRequests, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': NO_DELIVERY_LIMIT } },
  ],
  bindings: [
    ...TIERS.map((tier) => ({ exchange: EXCHANGES.requests, queue: QUEUES.requests[tier], routingKey: `${tier}.#` })),
    { exchange: EXCHANGES.unrouted, queue: QUEUES.otherRequests, routingKey: '' },
    ...Object.keys(DOMAIN_EVENTS).map((name) => ({
      exchange: EXCHANGES.domainEvents,
      queue: QUEUES.domainEvents,
      routingKey: name,
    })),
    { exchange: EXCHANGES.dead, queue: QUEUES.deadRequests, routingKey: '#' },
  ],
};
