/**
 * A small service beside ours, as any team would write it: it publishes with confirms, listens on a queue of its own to
 * the answers that are routed to it alone, and writes both down for the checker.
 */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { SOURCE } from './messages';
import type { PlannedMessage } from './plan';
import { Answers } from './answers';
import { outcomeRecord, type PublishedRecord } from './records';

const OUTCOMES = 'jobs.events';
const QUEUE = 'order-service.outcomes';
/** The routing key that carries the answers to this source alone. */
const OWN_KEY = `to.${SOURCE.replaceAll(/[^A-Za-z0-9]/g, '-').replaceAll(/^-+|-+$/g, '')}`;
/** A message that nobody can read has no source: its answer goes here, for whoever may have sent it. */
const UNREADABLE_KEY = '*.unknown.rejected';

export interface OrderServiceFiles {
  published: string;
  outcomes: string;
}

export class OrderService {
  readonly answers = new Answers();
  published = 0;
  private readonly publishedFile: WriteStream;
  private readonly outcomesFile: WriteStream;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    files: OrderServiceFiles,
  ) {
    this.publishedFile = createWriteStream(files.published);
    this.outcomesFile = createWriteStream(files.outcomes);
  }

  static async open(amqpUrl: string, files: OrderServiceFiles): Promise<OrderService> {
    const connection = await connect(amqpUrl, { noDelay: true, timeout: 10_000 });
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    const service = new OrderService(connection, channel, files);
    await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (const key of [OWN_KEY, UNREADABLE_KEY]) await channel.bindQueue(QUEUE, OUTCOMES, key);
    await channel.prefetch(500);
    await channel.consume(QUEUE, (message) => (message ? service.hear(message) : undefined));
    return service;
  }

  /** Publishes one message; resolves once the broker has confirmed it and the fact is written down. */
  async publish({ message, record }: PlannedMessage): Promise<void> {
    const publishedAt = Date.now();
    await this.confirmed(message);
    const line: PublishedRecord = { ...record, publishedAt, confirmedAt: Date.now() };
    this.publishedFile.write(`${JSON.stringify(line)}\n`);
    this.published += 1;
    this.answers.expect(line);
  }

  /** Closes the files with all that was written to them. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await this.channel.close().catch(() => undefined);
    await this.connection.close().catch(() => undefined);
    await Promise.all([this.publishedFile, this.outcomesFile].map((file) => once(file.end(), 'close')));
  }

  private confirmed({ exchange, routingKey, messageId, contentType, body }: PlannedMessage['message']): Promise<void> {
    return new Promise((resolve, reject) => {
      const properties = { persistent: true, mandatory: true, messageId, contentType };
      this.channel.publish(exchange, routingKey, Buffer.from(body), properties, (error: unknown) => {
        if (error) reject(new Error(`the broker did not confirm ${messageId}`, { cause: error }));
        else resolve();
      });
    });
  }

  /** Written down first, acknowledged then: what comes twice is written twice. */
  private hear(message: ConsumeMessage): void {
    const line: unknown = { receivedAt: Date.now(), event: JSON.parse(message.content.toString()) };
    // Whole, not only what is looked at here: people may want to know more of it.
    this.outcomesFile.write(`${JSON.stringify(line)}\n`, () => this.acknowledge(message));
    this.answers.hear(outcomeRecord.parse(line));
  }

  /** What is still to be acknowledged when the channel closes is in the file, and goes back to the queue. */
  private acknowledge(message: ConsumeMessage): void {
    if (!this.closing) this.channel.ack(message);
  }
}
