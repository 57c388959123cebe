import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Answers } from './answers';
import type { NewRecord, PublishedRecord } from '../records';

/** What the broker has taken responsibility for, a line each, for the checker. */
export class PublicationLog {
  private readonly file: WriteStream;
  private closing: Promise<void> | undefined;

  constructor(
    path: string,
    private readonly answers: Answers,
  ) {
    this.file = createWriteStream(path);
  }

  /** Publishes, and resolves once that is confirmed and written down. */
  async confirmed(record: NewRecord, publish: () => Promise<unknown>): Promise<void> {
    const publishedAt = Date.now();
    await publish();
    const line: PublishedRecord = { ...record, publishedAt, confirmedAt: Date.now() };
    this.file.write(`${JSON.stringify(line)}\n`);
    this.answers.expect(line);
  }

  /** Resolves when all of it is in the file. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= once(this.file.end(), 'close').then(() => undefined);
    return this.closing;
  }
}
