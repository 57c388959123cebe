import type { Readable } from 'node:stream';
import type PdfDocument from 'pdfkit';
import { formatMoney } from '../money';
import { drawChart } from './pdf-chart';
import type { Tally } from './tally';

const MARGIN = 50;
const ROW_HEIGHT = 14;

export interface ReportHead {
  title: string;
  /** Lines below the title. */
  lines: string[];
}

/** Sums, a chart and a table of the days of each currency; rows themselves are for programs. */
export function toPdf({ title, lines }: ReportHead, tally: Tally): Readable {
  const document = new (loadPdf())({ size: 'A4', margin: MARGIN, info: { Title: title } });
  document.font('Helvetica-Bold').fontSize(20).text(title);
  document.font('Helvetica').fontSize(9).fillColor('#555');
  for (const line of lines) document.text(line);
  document.fillColor('black').moveDown();
  writeTotals(document, tally);
  for (const currency of tally.currencies) writeCurrency(document, tally, currency);
  document.end();
  return document;
}

function writeTotals(document: PDFKit.PDFDocument, tally: Tally): void {
  heading(document, 'Totals');
  const totals = tally.totals();
  if (totals.length === 0) document.fontSize(10).text('Nothing in this period.');
  writeRow(document, ['', 'Number', 'Amount']);
  for (const { group, currency, count, amount } of totals)
    writeRow(document, [`${group}, ${currency}`, String(count), amountOf(amount, currency)]);
}

function writeCurrency(document: PDFKit.PDFDocument, tally: Tally, currency: string): void {
  const days = tally.days(currency);
  document.moveDown();
  drawChart(document, {
    title: `By day, ${currency}`,
    bars: days.map(({ day, groups }) => ({
      label: day,
      parts: [...groups].map(([name, { amount }]) => ({ name, amount })),
    })),
    format: (amount) => amountOf(amount, currency),
  });
  heading(document, `Days, ${currency}`);
  writeRow(document, ['', 'Number', 'Amount']);
  for (const { day, groups } of days)
    for (const [group, { count, amount }] of groups)
      writeRow(document, [`${day}  ${group}`, String(count), amountOf(amount, currency)]);
}

function heading(document: PDFKit.PDFDocument, text: string): void {
  document.font('Helvetica-Bold').fontSize(12).text(text, MARGIN).moveDown(0.3).font('Helvetica').fontSize(9);
}

/** One line: what, how many, how much; on the next page where this one is full. */
function writeRow(document: PDFKit.PDFDocument, [what, number, amount]: [string, string, string]): void {
  if (document.y + ROW_HEIGHT > document.page.height - MARGIN) document.addPage();
  const { y } = document;
  document.text(what, MARGIN, y, { width: 240, lineBreak: false });
  document.text(number, 290, y, { width: 90, align: 'right', lineBreak: false });
  document.text(amount, 390, y, { width: 155, align: 'right', lineBreak: false });
  document.x = MARGIN;
  document.y = y + ROW_HEIGHT;
}

/** By code: the fonts that every reader of PDF has lack the symbols of most currencies. */
function amountOf(amount: number, currency: string): string {
  return formatMoney(amount, currency, 'code');
}

/** On first use: it loads its fonts. */
function loadPdf(): typeof PdfDocument {
  const pdf: typeof PdfDocument = require('pdfkit');
  return pdf;
}
