import type { Channel } from 'amqplib';
import { EXCHANGES } from '../contract/names';

/**
 * The largest that a 32-bit integer holds; RabbitMQ 3 does not know the -1 by which version 4 means "none". The broker may
 * not drop what was delivered often: tries are counted here.
 */
const NO_DELIVERY_LIMIT = 2_147_483_647;
const QUEUE = {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': NO_DELIVERY_LIMIT },
};

/** Where outcomes wait that could not be read or handled. Nothing takes them from there but a person. */
export function parkingOf(queue: string): string {
  return `${queue}.parked`;
}

/** Declares the subscriber's own queues and binds the first. Bindings of an earlier version stay: take them off by hand. */
export async function declareOutcomeQueue(channel: Channel, queue: string, routingKeys: string[]): Promise<void> {
  await channel.assertQueue(queue, QUEUE);
  await channel.assertQueue(parkingOf(queue), QUEUE);
  for (const key of routingKeys) await channel.bindQueue(queue, EXCHANGES.outcomes, key);
}
