/** The client package: what other services import as `queue-service/client`. See docs/client.md. */
export type { JobTypeName, PayloadOf, ResultOf } from '../catalogue';
export type { DomainEventData, DomainEventName } from '../contract/domain-events';
export type { Problem } from '../platform/json-problems';
export type { Logger } from '../platform/logger';
export { QueueClient, type Published } from './client';
export {
  InvalidCallError,
  NotReadyError,
  NotSentError,
  UnconfirmedError,
  UnroutableError,
  type NotSentReason,
} from './errors';
export { knexInbox, pgInbox, type Inbox } from './inbox';
export type { OutcomeOptions, QueueClientOptions } from './options';
export type { Outcome, OutcomeOf, UnknownOutcome } from './outcome';
export type { OutcomeContext, OutcomeHandler } from './outcome-handling';
export type { OutcomeSubscription } from './outcome-subscription';
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
