const HEIGHT = 160;
const LEFT = 60;
const RIGHT = 545;
/** Told apart in print as well as by those who see no red or green (Okabe and Ito). */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#F0E442', '#56B4E9', '#E69F00', '#999999'];

export interface Chart {
  title: string;
  bars: { label: string; parts: { name: string; amount: number }[] }[];
  format: (amount: number) => string;
}

/** Bars of stacked parts, as high as their amounts, with a legend. */
export function drawChart(document: PDFKit.PDFDocument, { title, bars, format }: Chart): void {
  if (bars.length === 0) return;
  if (document.y + HEIGHT + 70 > document.page.height - 50) document.addPage();
  document.font('Helvetica-Bold').fontSize(12).text(title, 50).font('Helvetica').fontSize(7);
  const names = [...new Set(bars.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const highest = Math.max(1, ...bars.map(({ parts }) => parts.reduce((sum, { amount }) => sum + amount, 0)));
  const top = document.y + 12;
  const bottom = top + HEIGHT;
  document.text(format(highest), LEFT, top - 9, { lineBreak: false });
  document.lineWidth(0.5).strokeColor('#999').moveTo(LEFT, top).lineTo(LEFT, bottom).lineTo(RIGHT, bottom).stroke();
  const step = (RIGHT - LEFT) / bars.length;
  bars.forEach(({ parts }, index) => {
    let y = bottom;
    for (const { name, amount } of parts) {
      const height = (Math.max(0, amount) / highest) * HEIGHT;
      y -= height;
      document.rect(LEFT + index * step + step * 0.1, y, step * 0.8, height).fill(colourOf(names, name));
    }
  });
  document.fillColor('black');
  document.text(bars[0]?.label ?? '', LEFT, bottom + 4, { lineBreak: false });
  document.text(bars.at(-1)?.label ?? '', RIGHT - 60, bottom + 4, { width: 60, align: 'right', lineBreak: false });
  drawLegend(document, names, bottom + 18);
  document.x = 50;
  document.y = bottom + 36;
}

function drawLegend(document: PDFKit.PDFDocument, names: string[], y: number): void {
  let x = LEFT;
  for (const name of names) {
    document.rect(x, y, 7, 7).fill(colourOf(names, name)).fillColor('black');
    document.text(name, x + 10, y, { lineBreak: false });
    x += 24 + document.widthOfString(name);
  }
}

function colourOf(names: string[], name: string): string {
  return COLOURS[names.indexOf(name) % COLOURS.length] ?? '#999999';
}
