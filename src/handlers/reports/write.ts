import { Readable } from 'node:stream';
import type { ReportFormat } from '../../catalogue/generate-report';
import { toCsv } from './csv';
import { toJson } from './json';
import { toPdf } from './pdf';
import type { Report, ReportRow } from './report';
import { moneyJobs, type Reading } from './source';
import { Tally } from './tally';

/** A report that is being written: its bytes, and what is known once they have all been read. */
export interface WrittenReport {
  content: Readable;
  rows: () => number;
  tally: Tally;
}

/** Reads and writes at the pace of whoever takes the bytes. */
export function writeReport(report: Report, reading: Reading): WrittenReport {
  const tally = new Tally();
  let count = 0;
  async function* counted(): AsyncGenerator<ReportRow> {
    for await (const row of report.rows(moneyJobs(reading, report.types), tally, reading.records)) {
      count += 1;
      yield row;
    }
  }
  const content = FORMATTERS[reading.payload.format](report, reading, counted(), tally);
  return { content, rows: () => count, tally };
}

type Formatter = (report: Report, reading: Reading, rows: AsyncIterable<ReportRow>, tally: Tally) => Readable;

const FORMATTERS: Readonly<Record<ReportFormat, Formatter>> = {
  csv: (report, _, rows) => toCsv(report.columns, rows),
  json: (report, { payload }, rows, tally) => {
    const { startDate, endDate, venueId = null } = payload;
    const about = { title: report.title, note: report.note, startDate, endDate, timeZone: 'UTC', venueId };
    return toJson({ ...about, amounts: 'minor units' }, rows, () => tally.totals());
  },
  pdf: (report, reading, rows, tally) => Readable.from(pages(report, reading, rows, tally)),
};

/** Of rows a PDF has the sums alone, so that they must all be read before it begins. */
async function* pages(report: Report, { payload }: Reading, rows: AsyncIterable<ReportRow>, tally: Tally) {
  for await (const _ of rows);
  const { startDate, endDate, venueId } = payload;
  const lines = [`${startDate} to ${endDate}, days in UTC`, venueId === undefined ? 'All venues' : `Venue ${venueId}`];
  yield* toPdf({ title: report.title, lines: [...lines, report.note] }, tally);
}
