/** The client package: what other services import as `queue-service/client`. See docs/client.md. */
export type { JobTypeName, PayloadOf, ResultOf } from '../catalogue';
export type { DomainEventData, DomainEventName } from '../contract/domain-events';
export type { Problem } from '../platform/json-problems';
export type { Logger } from '../platform/logger';
export { QueueClient, type Published, type QueueClientOptions } from './client';
export { InvalidCallError, NotSentError, UnconfirmedError, UnroutableError, type NotSentReason } from './errors';
export type { OutboxRelay } from './outbox-relay';
export type { CallerTransaction, SqlRunner } from './sql';
export {
  createInboxTable,
  createOutboxTable,
  deleteHandled,
  deletePublished,
  dropInboxTable,
  dropOutboxTable,
} from './tables';
export type { PublishEventOptions, PublishOptions } from './message';
