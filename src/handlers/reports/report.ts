import type { Money } from './amounts';
import type { MoneyJob, MoneyRecords } from './source';
import type { Tally } from './tally';

export type Cell = string | number | Money | undefined;

/** Cells by the key of their column. */
export type ReportRow = Readonly<Record<string, Cell>>;

export interface Column {
  key: string;
  header: string;
}

/** One type of report. */
export interface Report {
  title: string;
  /** What it does not say, for whoever reads it. */
  note: string;
  columns: readonly Column[];
  /** The job types that it is about. */
  types: readonly string[];
  /** Rows as the jobs are read; what they add up to goes into the tally. */
  rows: (pages: AsyncIterable<MoneyJob[]>, tally: Tally, records: MoneyRecords) => AsyncGenerator<ReportRow>;
}

/** 2026-01-15, in UTC. */
export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
