import { uuidV7Floor } from '../../platform/ids';
import type { ReportPayload } from '../../catalogue/generate-report';

/** A money job as the records have it. */
export interface MoneyJob {
  jobId: string;
  type: string;
  status: string;
  acceptedAt: Date;
  finishedAt: Date | undefined;
  payload: unknown;
  result: unknown;
  errorCode: string | undefined;
}

/** What the ledger says of one effect of a job. */
export interface MoneyEffect {
  name: string;
  state: string;
  reference: string | undefined;
  value: unknown;
}

/** Where reports get what they say from. */
export interface MoneyRecords {
  /** The jobs between two ids up to `end`, which is undefined when there are no more. */
  readJobs: (
    filter: { types: readonly string[]; venueId: string | undefined },
    after: string,
    before: string,
  ) => Promise<{ jobs: MoneyJob[]; end: string | undefined }>;
  readEffects: (jobIds: string[]) => Promise<ReadonlyMap<string, MoneyEffect[]>>;
  /** Of these jobs those whose outcome is not published yet. */
  readUntold: (jobIds: string[]) => Promise<ReadonlySet<string>>;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export interface Reading {
  records: MoneyRecords;
  payload: ReportPayload;
  signal: AbortSignal;
  /** Told how much of the period is read, in percent. */
  onProgress: (percent: number) => void;
}

/** The jobs of a period, page by page, so that no more than one page is held. */
export async function* moneyJobs(reading: Reading, types: readonly string[]): AsyncGenerator<MoneyJob[]> {
  const { records, payload, signal, onProgress } = reading;
  const start = Date.parse(payload.startDate);
  const end = Date.parse(payload.endDate) + DAY_MS;
  const filter = { types, venueId: payload.venueId };
  // Ids are UUIDv7 and carry the moment at which the job was accepted.
  for (let after: string | undefined = uuidV7Floor(start); after !== undefined;) {
    signal.throwIfAborted();
    const page = await records.readJobs(filter, after, uuidV7Floor(end));
    yield page.jobs;
    after = page.end;
    if (after !== undefined) onProgress(Math.floor((100 * (momentOf(after) - start)) / (end - start)));
  }
}

/** The milliseconds in a UUIDv7. */
function momentOf(id: string): number {
  return Number.parseInt(id.replace('-', '').slice(0, 12), 16);
}
