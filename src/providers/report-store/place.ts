import type { Readable } from 'node:stream';
import { describeError } from '../../platform/logger';
import { UnavailableError } from '../../platform/unavailable';

/** Where the bytes of reports lie. Errors of all of them that may pass are `UnavailableError`. */
export interface ReportPlace {
  readonly location: 'folder' | 'bucket';
  /** All of it or nothing: what is not whole is never read under that key. What was there before is replaced. */
  write(key: string, contentType: string, content: Readable, signal: AbortSignal): Promise<void>;
  /** Undefined when there is none. */
  read(key: string): Promise<Readable | undefined>;
  /** That there is none is as good. */
  remove(key: string): Promise<void>;
  /** Removes what is older than any report may be and was left behind, in its own folder alone. */
  sweep(before: Date): Promise<void>;
}

/** Asks a place for something that is not about the content. @throws UnavailableError whatever goes wrong */
export async function ask<Value>(location: ReportPlace['location'], work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(location, error);
  }
}

export function unavailable(location: ReportPlace['location'], error: unknown): UnavailableError {
  return new UnavailableError(`the ${location} for reports: ${describeError(error)}`, { cause: error });
}
