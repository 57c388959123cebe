import type { Config } from '../config';
import { appendToOutbox, type OutboxMessage } from '../outbox/rows';
import type { Logger } from '../platform/logger';
import type { Component } from '../platform/lifecycle';
import type { Queryable, Transaction } from '../platform/postgres/database';
import { SubscriptionBook } from '../subscriptions/book';

export interface Callbacks {
  /**
   * Publishes outcomes, and asks for the calls that tell subscribers of them: all of it in the transaction that makes them
   * true, so that no outcome is published without its calls, nor a call made of one that was not.
   */
  append: (tx: Transaction, outcomes: OutboxMessage[]) => Promise<void>;
  components: Component[];
}

export function composeCallbacks(
  { callbacks }: Pick<Config, 'callbacks'>,
  database: Queryable,
  log: Logger,
): Callbacks {
  if (!callbacks) return { append: appendToOutbox, components: [] };
  const book = new SubscriptionBook(database, log);
  return {
    append: async (tx, outcomes) => appendToOutbox(tx, [...outcomes, ...(await book.requestsFor(tx, outcomes))]),
    components: [
      { name: 'webhook subscriptions', start: () => Promise.resolve(book.start()), stop: () => book.stop() },
    ],
  };
}
