import { randomUUID } from 'node:crypto';
import type { Channel } from 'amqplib';
import type { Pool } from 'pg';
import { z } from 'zod';
import { appendToOutbox, type OutboxMessage } from '../../src/outbox/rows';
import { uuidV7 } from '../../src/platform/ids';
import type { Database } from '../../src/platform/postgres/database';

/** An exchange of which one queue takes what is routed by `taken`, and nobody the rest. */
export const EXCHANGE = 'test.relayed';
const TAKEN = 'taken';

export interface Arrival {
  messageId: string;
  body: string;
}

/** Everything that reaches the queue behind the exchange, in the order in which it arrives. */
export async function collect(channel: Channel): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  const { queue } = await channel.assertQueue('test.relayed', { durable: true });
  await channel.bindQueue(queue, EXCHANGE, TAKEN);
  await channel.consume(queue, (message) => {
    if (!message) return;
    const { messageId }: { messageId?: unknown } = message.properties;
    arrivals.push({ messageId: z.string().parse(messageId), body: message.content.toString() });
    channel.ack(message);
  });
  return arrivals;
}

export function message(over: Partial<OutboxMessage> = {}): OutboxMessage {
  return {
    id: uuidV7(),
    orderingKey: randomUUID(),
    exchange: EXCHANGE,
    routingKey: TAKEN,
    contentType: 'text/plain',
    type: 'test',
    correlationId: undefined,
    alsoTo: [],
    headers: {},
    body: '{}',
    mandatory: true,
    ...over,
  };
}

/** Commits messages and tells no relay: it looks by itself. */
export function write(database: Database, messages: OutboxMessage[]): Promise<void> {
  return database.transaction((tx) => appendToOutbox(tx, messages));
}

const row = z.object({
  id: z.string(),
  attempts: z.number(),
  published: z.boolean(),
  parked: z.boolean(),
});

export async function readRows(pool: Pool): Promise<z.infer<typeof row>[]> {
  const { rows } = await pool.query(
    `SELECT id, attempts, published_at IS NOT NULL AS published, parked_at IS NOT NULL AS parked
     FROM outbox_events WHERE exchange = $1 ORDER BY seq`,
    [EXCHANGE],
  );
  return z.array(row).parse(rows);
}

export async function countUnpublished(pool: Pool): Promise<number> {
  const { rows } = await pool.query('SELECT count(*)::integer AS n FROM outbox_events WHERE published_at IS NULL');
  return z.array(z.object({ n: z.number() })).parse(rows)[0]?.n ?? -1;
}
