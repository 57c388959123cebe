import { connect, type Channel } from 'amqplib';
import { within } from '../platform/time';
import { TOPOLOGY } from './topology';

const TIMEOUT_MS = 10_000;

/** The broker holds something of ours under the same name with other properties; a person must decide. */
export class TopologyMismatchError extends Error {
  override name = 'TopologyMismatchError';
}

/** Declares what is missing; a declaration that the broker contradicts closes the channel with 406. */
export async function declareTopology(channel: Channel): Promise<void> {
  for (const exchange of TOPOLOGY.exchanges) {
    await channel.assertExchange(exchange.name, exchange.type, { durable: true, arguments: exchange.arguments });
  }
  for (const queue of TOPOLOGY.queues) {
    await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
  }
  for (const binding of TOPOLOGY.bindings) {
    await channel.bindQueue(binding.queue, binding.exchange, binding.routingKey);
  }
}

/**
 * Declares the topology on a connection of its own, at start.
 * @throws TopologyMismatchError with the broker's reason when something exists with other properties
 */
export async function assertTopology(url: string): Promise<void> {
  const connection = await within(TIMEOUT_MS, 'connecting to the broker', connect(url, { noDelay: true }));
  try {
    connection.on('error', () => undefined);
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    await within(TIMEOUT_MS, 'declaring the topology', declareTopology(channel));
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (error instanceof Error && code === 406) {
      throw new TopologyMismatchError(`the broker disagrees with the topology: ${error.message}`, { cause: error });
    }
    throw error;
  } finally {
    await connection.close().catch(() => undefined);
  }
}
