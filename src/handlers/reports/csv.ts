import { pipeline, Readable } from 'node:stream';
import type { stringify as Stringify } from 'csv-stringify';
import { formatDecimal } from '../money';
import { Money } from './amounts';
import { type Column, type ReportRow } from './report';

/**
 * A table for spreadsheets (RFC 4180, UTF-8 with a mark, since Excel asks for one). What a spreadsheet would take for a
 * formula gets an apostrophe before it; a negative amount is a number of ours, and stays one.
 */
export function toCsv(columns: readonly Column[], rows: AsyncIterable<ReportRow>): Readable {
  const text = loadStringify()({
    header: true,
    bom: true,
    escape_formulas: true,
    record_delimiter: 'windows',
    columns: columns.map(({ key, header }) => ({ key, header })),
    cast: { object: (value) => (value instanceof Money ? moneyCell(value) : '') },
  });
  // Whoever reads the text is told of an error by it.
  return pipeline(Readable.from(rows), text, () => undefined);
}

function moneyCell({ amount, currency }: Money): string | { value: string; escape_formulas: boolean } {
  const value = formatDecimal(amount, currency);
  // Options of its own cost each cell a multiple of its time.
  return amount < 0 ? { value, escape_formulas: false } : value;
}

/** On first use: processes that make no reports need not load it. */
function loadStringify(): typeof Stringify {
  const { stringify }: { stringify: typeof Stringify } = require('csv-stringify');
  return stringify;
}
