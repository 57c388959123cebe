import { z } from 'zod';
import { cloudEvent } from '../contract/envelope';
import { requesterKey } from '../contract/names';
import { problemsOf } from '../contract/problems';
import type { Logger } from '../platform/logger';
import { TABLE_NAME } from '../platform/postgres/identifier';
import { InvalidCallError } from './errors';

export interface QueueClientOptions {
  amqpUrl: string;
  /** Who publishes, as CloudEvents name it: `/order-service`. Fixed, since it is half of every message's identity. */
  source: string;
  /** Publications under way at the same time, each with its message in memory. Default 1,000. */
  maxPending?: number;
  /**
   * When there is no room, or no broker: `wait` until the deadline, or `fail` at once. As many callers may wait as
   * publications may be pending; further ones fail. Default `wait`.
   */
  whenFull?: 'fail' | 'wait';
  /** Milliseconds after which a publication is given up. Default 30,000. */
  deadlineMs?: number;
  /** The table in the caller's database for `publishInTransaction`; see `createOutboxTable`. Default `queue_outbox`. */
  outboxTable?: string;
  /** Default: silent. */
  log?: Logger;
}

const clientOptions = z.strictObject({
  amqpUrl: z.url({ protocol: /^amqps?$/ }),
  source: cloudEvent.shape.source,
  maxPending: z.int().positive().default(1_000),
  whenFull: z.enum(['fail', 'wait']).default('wait'),
  deadlineMs: z.int().positive().default(30_000),
  outboxTable: z.string().regex(TABLE_NAME, 'is not a plain table name').default('queue_outbox'),
  log: z.custom<Logger>().optional(),
});

export type ClientSettings = z.output<typeof clientOptions>;

/** @throws InvalidCallError with every problem */
export function readClientOptions(given: QueueClientOptions): ClientSettings {
  return read(clientOptions, given, 'the options of the client');
}

export interface OutcomeOptions {
  /** The subscriber's own queue, the same in all its processes: `order-service.outcomes`. Declared here, and kept. */
  queue: string;
  /** Which outcomes: routing keys of `jobs.events`, such as `money.#`. Default: those of this client's source. */
  routingKeys?: string[];
  /** Handlers that run at the same time in this process. Default 10. */
  concurrency?: number;
  /** Failures of the handler after which an outcome is parked. Default 8, in about a minute. */
  maxTries?: number;
  /** Milliseconds that one try may take. Default 60,000. */
  timeoutMs?: number;
}

const outcomeOptions = z.strictObject({
  // AMQP allows 255 bytes, and the parking queue's name is longer.
  queue: z.string().regex(/^(?!amq\.)[\w.:-]{1,200}$/, 'is not a queue name of letters, digits and _.:-'),
  routingKeys: z.array(z.string().min(1).max(255)).min(1).optional(),
  concurrency: z.int().positive().max(1_000).default(10),
  maxTries: z.int().positive().default(8),
  timeoutMs: z.int().positive().default(60_000),
});

/** @throws InvalidCallError with every problem */
export function readOutcomeOptions(given: OutcomeOptions, source: string) {
  const { routingKeys = [requesterKey(source)], ...rest } = read(
    outcomeOptions,
    given,
    'the options of a subscription',
  );
  return { routingKeys, ...rest };
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new InvalidCallError(what, problemsOf(parsed.error));
  return parsed.data;
}
