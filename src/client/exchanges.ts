import type { Channel } from 'amqplib';
import { EXCHANGES } from '../contract/names';

/**
 * Fails where the service's exchanges are missing. They are not the client's to declare, and a publication to an exchange
 * that is not there would close the channel each time.
 */
export async function lookForExchanges(channel: Channel): Promise<void> {
  for (const exchange of [EXCHANGES.requests, EXCHANGES.domainEvents]) await channel.checkExchange(exchange);
}
