import { Readable } from 'node:stream';
import type { Total } from '../../catalogue/generate-report';
import { Money } from './amounts';
import { type ReportRow } from './report';

/** One JSON document, a row a line; amounts in minor units. `totals` is asked for when all rows are written. */
export function toJson(about: object, rows: AsyncIterable<ReportRow>, totals: () => Total[]): Readable {
  return Readable.from(documentOf(about, rows, totals));
}

async function* documentOf(
  about: object,
  rows: AsyncIterable<ReportRow>,
  totals: () => Total[],
): AsyncGenerator<string> {
  yield `{"report":${JSON.stringify(about)},"rows":[`;
  let before = '\n';
  for await (const row of rows) {
    yield before + JSON.stringify(row, minorUnits);
    before = ',\n';
  }
  yield `\n],"totals":${JSON.stringify(totals())}}\n`;
}

function minorUnits(_: string, value: unknown): unknown {
  return value instanceof Money ? value.amount : value;
}
