import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Database } from '../../../src/platform/postgres/database';
import { createReportFolder } from '../../../src/providers/report-store/folder';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { insertPast, pastPayment } from '../../support/money-history';
import { openDatabase } from '../../support/records';
import { digestOf, january, makeReport } from '../../support/reports';

const VENUE = randomUUID();

let environment: TestEnvironment;
let database: Database;
let folder: string;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
  folder = mkdtempSync(path.join(tmpdir(), 'reports-'));
});
beforeEach(() => environment.pool.query('TRUNCATE critical_jobs CASCADE'));
afterAll(async () => {
  await database?.close();
  await environment?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const insert = (over: Parameters<typeof pastPayment>[0]) => insertPast(environment.pool, pastPayment(over));

/** The report's bytes, and the result of its job. */
async function report(over: Record<string, string> = {}) {
  const { jobId, outcome } = makeReport(database, createReportFolder(folder), january(over));
  const ended = await outcome;
  if (ended.kind !== 'done') throw new Error(`it ended as ${ended.kind}`);
  const bytes = readFileSync(path.join(folder, `${jobId}.${over['format'] ?? 'csv'}`));
  return { bytes, text: bytes.toString(), result: ended.result as Record<string, unknown>, jobId };
}

describe('sales', () => {
  it('lists payments and refunds of the period, of one venue where it is named, with amounts by ISO 4217', async () => {
    const paid = await insert({ venueId: VENUE });
    await insert({ venueId: VENUE, currency: 'KWD', acceptedAt: '2026-01-31T23:59:59.999Z' });
    await insert({ venueId: VENUE, type: 'refund-process', amount: 345, details: { refundId: 're_1' } });
    await insert({ venueId: VENUE, type: 'refund-process', amount: 9, details: { alreadyRefunded: true } });
    await insert({ venueId: VENUE, acceptedAt: '2026-02-01T00:00:00Z' });
    await insert({ venueId: VENUE, acceptedAt: '2025-12-31T23:59:59.999Z' });
    await insert({ venueId: VENUE, status: 'failed' });
    await insert({});
    const { text, result, bytes, jobId } = await report({ venueId: VENUE });
    const [head, ...lines] = text.trimEnd().split('\r\n');
    expect(head).toMatch(/^\ufeffKind,Transaction,/);
    expect(lines.map((line) => line.split(',').filter((_, cell) => [0, 6, 7].includes(cell)))).toEqual(
      expect.arrayContaining([
        ['payment', '123.45', 'USD'],
        ['refund', '3.45', 'USD'],
        ['payment', '12.345', 'KWD'],
      ]),
    );
    expect(lines).toHaveLength(3);
    expect(text).toContain(`payment,${paid},2026-01-15T10:00:00.000Z`);
    expect(result).toMatchObject({
      reportId: jobId,
      url: `/api/v1/queue/reports/${jobId}`,
      rows: 3,
      size: bytes.length,
      sha256: digestOf(bytes),
      totals: expect.arrayContaining([
        { group: 'payments', currency: 'USD', count: 1, amount: 12_345 },
        { group: 'refunds', currency: 'USD', count: 1, amount: 345 },
        { group: 'payments', currency: 'KWD', count: 1, amount: 12_345 },
      ]),
    });
  });

  it('lets no cell be taken for a formula', async () => {
    await insert({ details: { provider: '=cmd|calc', chargeId: '+1' } });
    const { text } = await report();
    expect(text).toContain(",'=cmd|calc,'+1");
  });

  it('is a whole JSON document as well, with amounts in minor units', async () => {
    await insert({});
    await insert({ currency: 'EUR' });
    const { text } = await report({ format: 'json' });
    expect(JSON.parse(text)).toMatchObject({
      report: { title: 'Sales', startDate: '2026-01-01', endDate: '2026-01-31', timeZone: 'UTC' },
      rows: expect.arrayContaining([expect.objectContaining({ kind: 'payment', amount: 12_345, currency: 'EUR' })]),
      totals: expect.arrayContaining([{ group: 'payments', currency: 'USD', count: 1, amount: 12_345 }]),
    });
  });

  it('is a PDF with its sums, also when there is nothing to sum up', async () => {
    const empty = await report({ format: 'pdf' });
    expect(empty.bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(empty.text.trimEnd().endsWith('%%EOF')).toBe(true);
    for (const day of ['05', '06', '07']) await insert({ acceptedAt: `2026-01-${day}T12:00:00Z` });
    const { bytes, result } = await report({ format: 'pdf' });
    expect(bytes.length).toBeGreaterThan(empty.bytes.length);
    expect(result).toMatchObject({ rows: 3, totals: [{ count: 3, amount: 37_035 }] });
  });
});

it('payouts names what the bank gets and when', async () => {
  const details = { transferId: 'tr_1', payoutId: 'po_1', arrivesAt: '2026-01-20T00:00:00Z' };
  await insert({ type: 'payout-process', details });
  const { text, result } = await report({ reportType: 'payouts' });
  expect(text).toContain(',123.45,USD,2026-01-20T00:00:00Z,tr_1,po_1');
  expect(result).toMatchObject({ rows: 1 });
});

it('the tax summary adds up months, venues and currencies, and a negative net stays a number', async () => {
  for (const month of ['01', '02']) await insert({ venueId: VENUE, acceptedAt: `2026-${month}-10T00:00:00Z` });
  await insert({ venueId: VENUE, type: 'refund-process', amount: 20_000, details: { refundId: 're_1' } });
  const { text } = await report({ reportType: 'tax-summary', endDate: '2026-02-28' });
  expect(text.trimEnd().split('\r\n').slice(1)).toEqual([
    `2026-01,${VENUE},USD,1,123.45,1,200.00,-76.55`,
    `2026-02,${VENUE},USD,1,123.45,0,0.00,123.45`,
  ]);
});

it.each([
  ['agrees', { effect: { state: 'done', amount: 12_345 } }],
  ['amounts differ', { effect: { state: 'done', amount: 12_344 } }],
  ['completed without effect', {}],
  ['effect unknown', { status: 'failed', effect: { state: 'in_doubt', amount: 12_345 } }],
  ['effect without completion', { status: 'failed', effect: { state: 'done', amount: 12_345 } }],
  ['agrees: nothing happened', { status: 'failed' }],
  ['agrees: happened before', { type: 'refund-process', details: { alreadyRefunded: true } }],
  ['in doubt', { status: 'in_doubt', effect: { state: 'started', amount: 0 } }],
  ['open', { status: 'pending' }],
] as const)('reconciliation finds: %s', async (finding, over) => {
  await insert(over);
  const { result } = await report({ reportType: 'reconciliation' });
  expect(result['totals']).toEqual([{ group: finding, currency: 'USD', count: 1, amount: 12_345 }]);
});

it('reconciliation tells which outcomes the broker has not got yet, parked ones as well', async () => {
  const jobs = [await insert({}), await insert({}), await insert({})];
  const message = (id: string | undefined, column: string) =>
    environment.pool.query(
      `INSERT INTO outbox_events (id, ordering_key, exchange, routing_key, properties, body, mandatory, ${column})
       VALUES ($1, $1, 'jobs.events', 'key', '{}', '{}', false, now())`,
      [id],
    );
  await message(jobs[0], 'next_attempt_at');
  await message(jobs[1], 'parked_at');
  await message(jobs[2], 'published_at');
  const { text } = await report({ reportType: 'reconciliation', format: 'json' });
  const rows = (JSON.parse(text) as { rows: { jobId: string; outcome: string }[] }).rows;
  const outcomes = jobs.map((id) => rows.find(({ jobId }) => jobId === id)?.outcome);
  expect(outcomes).toEqual(['waits for the broker', 'waits for the broker', 'completed']);
});

it('a report that fails half way leaves the one that is there as it is, and one that is made again replaces it', async () => {
  await insert({});
  const place = createReportFolder(folder);
  const { jobId, text } = await report();
  const before = readdirSync(folder);
  const stopping = new AbortController();
  const again = makeReport(database, place, january(), {
    jobId,
    signal: stopping.signal,
  });
  stopping.abort();
  await expect(again.outcome).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(before);
  expect(readFileSync(path.join(folder, `${jobId}.csv`)).toString()).toBe(text);
  await insert({});
  const third = makeReport(database, place, january(), { jobId });
  expect(await third.outcome).toMatchObject({ kind: 'done', result: { rows: 2 } });
  expect(readdirSync(folder)).toEqual(before);
  expect(await third.archive.find(jobId)).toMatchObject({ id: jobId, requestedBy: '/test', reportType: 'sales' });
});

it('is tried again when the records or the folder cannot be used', async () => {
  const unusable = path.join(folder, 'file');
  const first = await report();
  expect(first.result['rows']).toBe(0);
  const place = createReportFolder(path.join(folder, `${first.jobId}.csv`, unusable));
  expect(await makeReport(database, place, january()).outcome).toMatchObject({
    kind: 'retry',
    code: 'REPORT_UNFINISHED',
  });
});

it('what dead attempts left in the folder goes, and nothing of others', async () => {
  const id = randomUUID();
  const names = [`${id}.csv`, `.${id}.pdf.${randomUUID()}`, 'somebodys.csv', `${id}.csv.bak`];
  for (const name of names) {
    writeFileSync(path.join(folder, name), 'text');
    utimesSync(path.join(folder, name), new Date(0), new Date(0));
  }
  const { archive, outcome, jobId } = makeReport(database, createReportFolder(folder), january());
  await outcome;
  await archive.sweep();
  const left = readdirSync(folder);
  expect(names.map((name) => left.includes(name))).toEqual([false, false, true, true]);
  expect(left).toContain(`${jobId}.csv`);
});

it('an expired report goes, with its bytes', async () => {
  const { jobId } = await report();
  const { archive, outcome } = makeReport(database, createReportFolder(folder), january());
  await outcome;
  await environment.pool.query(`UPDATE reports SET expires_at = now() - interval '1 second' WHERE id = $1`, [jobId]);
  expect(await archive.find(jobId)).toBeUndefined();
  expect(await archive.expire(10)).toBe(1);
  expect(readdirSync(folder)).not.toContain(`${jobId}.csv`);
  expect((await environment.pool.query('SELECT FROM reports WHERE id = $1', [jobId])).rowCount).toBe(0);
});
