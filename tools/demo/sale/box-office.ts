import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import type { HandwrittenMessage } from './box-office-messages';
import type { HandwrittenRequest } from './plan';
import type { PublicationLog } from './publication-log';

/** A program that writes its messages by hand, and gets them wrong: bytes to the broker, with a confirm. */
export class BoxOffice {
  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly log: PublicationLog,
  ) {}

  static async open(amqpUrl: string, log: PublicationLog): Promise<BoxOffice> {
    const connection = await connect(amqpUrl, { timeout: 10_000 });
    connection.on('error', () => undefined);
    return new BoxOffice(connection, await connection.createConfirmChannel(), log);
  }

  /** Resolves once the broker has the message. */
  ask({ message, record }: HandwrittenRequest): Promise<void> {
    return this.log.confirmed(record, () => this.publish(message));
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private publish({ exchange, routingKey, messageId, contentType, body }: HandwrittenMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const properties = { persistent: true, mandatory: true, messageId, contentType };
      this.channel.publish(exchange, routingKey, Buffer.from(body), properties, (error: unknown) => {
        if (error) reject(new Error(`the broker did not confirm ${messageId}`, { cause: error }));
        else resolve();
      });
    });
  }
}
