/**
 * Hears every outcome on a queue of its own and writes it down as it was delivered: what the checker knows of outcomes, it
 * knows from here, and nothing of it has passed through the client package.
 */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { connect, type ChannelModel, type ConsumeMessage } from 'amqplib';
import type { Answers } from './answers';
import { outcomeRecord } from '../records';

const OUTCOMES = 'jobs.events';
const QUEUE = 'auditor.outcomes';
const EVERYTHING = '#';

export class Auditor {
  private readonly file: WriteStream;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly acknowledge: (message: ConsumeMessage) => void,
    private readonly answers: Answers,
    path: string,
  ) {
    this.file = createWriteStream(path);
  }

  static async open(amqpUrl: string, path: string, answers: Answers): Promise<Auditor> {
    const connection = await connect(amqpUrl, { noDelay: true, timeout: 10_000 });
    connection.on('error', () => undefined);
    const channel = await connection.createChannel();
    const auditor = new Auditor(connection, (message) => channel.ack(message), answers, path);
    await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(QUEUE, OUTCOMES, EVERYTHING);
    await channel.prefetch(500);
    await channel.consume(QUEUE, (message) => (message ? auditor.hear(message) : undefined));
    return auditor;
  }

  /** Resolves when all that was heard is in the file. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await this.connection.close().catch(() => undefined);
    await once(this.file.end(), 'close');
  }

  /** Written down first, acknowledged then: what comes twice is written twice. */
  private hear(message: ConsumeMessage): void {
    const line: unknown = { receivedAt: Date.now(), event: JSON.parse(message.content.toString()) };
    // Whole, not only what is looked at here: people may want to know more of it.
    this.file.write(`${JSON.stringify(line)}\n`, () => {
      // What is still to be acknowledged when the connection closes is in the file, and goes back to the queue.
      if (!this.closing) this.acknowledge(message);
    });
    this.answers.hear(outcomeRecord.parse(line));
  }
}
