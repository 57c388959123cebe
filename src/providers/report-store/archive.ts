/**
 * Reports: their bytes in a folder or a bucket, and a row that says what they are and whose.
 *
 * What may crash where: before the bytes are whole, nobody sees them; between them and the row, nobody finds them, and the
 * job, run again, replaces them. They go before their row, so that no file is forgotten.
 */
import { createHash } from 'node:crypto';
import { pipeline, Transform, type Readable } from 'node:stream';
import type { Queryable } from '../../platform/postgres/database';
import type { ReportPlace } from './place';
import {
  deleteReports,
  insertReport,
  readExpiredReports,
  readReport,
  type ReportAbout,
  type StoredReport,
} from './rows';

export type { ReportAbout, StoredReport } from './rows';

/** A report can be fetched for so long. */
export const REPORT_KEEP_MS = 30 * 24 * 60 * 60 * 1_000;

export class ReportArchive {
  constructor(
    private readonly database: Queryable,
    private readonly place: ReportPlace,
  ) {}

  /** @throws UnavailableError when it cannot be kept just now, and whatever the content itself throws */
  async keep(
    about: ReportAbout,
    contentType: string,
    content: Readable,
    signal: AbortSignal,
  ): Promise<{ size: number; sha256: string }> {
    const key = `${about.id}.${about.format}`;
    const meter = new Meter();
    // Whoever reads what was measured is told of an error by it.
    const measuredContent = pipeline(content, meter, () => undefined);
    await this.place.write(key, contentType, measuredContent, signal);
    const measured = { size: meter.size, sha256: meter.sha256() };
    await insertReport(this.database, { ...about, ...measured, key, location: this.place.location });
    return measured;
  }

  find(id: string): Promise<StoredReport | undefined> {
    return readReport(this.database, id);
  }

  /** Undefined where its bytes are not. */
  async open({ key, location }: StoredReport): Promise<Readable | undefined> {
    return location === this.place.location ? this.place.read(key) : undefined;
  }

  /** Removes up to `limit` reports whose time has come; answers with their number. */
  async expire(limit: number): Promise<number> {
    const expired = await readExpiredReports(this.database, this.place.location, limit);
    for (const { key } of expired) await this.place.remove(key);
    if (expired.length > 0)
      await deleteReports(
        this.database,
        expired.map(({ id }) => id),
      );
    return expired.length;
  }

  /** Removes what no row names any more, of attempts that died. */
  sweep(): Promise<void> {
    return this.place.sweep(new Date(Date.now() - REPORT_KEEP_MS));
  }
}

/** Passes bytes on, and measures them. */
class Meter extends Transform {
  size = 0;
  private readonly hash = createHash('sha256');

  sha256(): string {
    return this.hash.digest('hex');
  }

  override _transform(chunk: Buffer, _: BufferEncoding, pass: (error: null, chunk: Buffer) => void): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    pass(null, chunk);
  }
}
