import type { OutgoingMessage, Publisher, PublishResult } from '../platform/rabbitmq/publisher';
import { allSettledWithin } from '../platform/time';

/** The relay's way to the broker: a batch with pipelined confirms, and one time limit for all of them. */
export async function publishBatch(
  publisher: Publisher,
  messages: OutgoingMessage[],
  confirmTimeoutMs: number,
): Promise<PromiseSettledResult<PublishResult>[]> {
  const publications = messages.map((message) => publisher.publish(message));
  const { results, late } = await allSettledWithin(confirmTimeoutMs, 'the confirm', publications);
  // What is still under way would come on top of the next batch, and of each one after it.
  if (late) publisher.startOver();
  return results;
}
