/** The checker of the demo as a program: where it gets its evidence, and how it ends. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Evidence } from '../../tools/demo/checker/facts';
import type { Sources } from '../../tools/demo/checker/main';
import { createAnalyticsStore } from '../../src/providers/analytics-store/store';
import { createTestEnvironment, type TestEnvironment } from '../support/harness/environment';
import { openDatabase } from '../support/records';
import { NodeProcess } from '../support/service-process';
import { soundBooks } from '../support/demo/books';

const ROOT = path.resolve(__dirname, '../..');

let folder: string;
let ledger: http.Server;
let books: Evidence;
let environment: TestEnvironment;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'demo-checker-'));
  ledger = http.createServer((_, response) => {
    response.end(JSON.stringify({ charges: books.charges, mails: books.mails }));
  });
  await new Promise<void>((resolve) => ledger.listen(0, '127.0.0.1', resolve));
  environment = await createTestEnvironment('http://stripe.invalid');
});
beforeEach(() => environment.pool.query('TRUNCATE analytics_events, analytics_rollups'));
afterAll(async () => {
  await new Promise((resolve) => ledger.close(resolve));
  await environment?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts the books where the checker looks for them. */
async function lay(given: Evidence): Promise<Sources> {
  books = given;
  const lines = (items: unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');
  const files = { published: path.join(folder, 'published'), outcomes: path.join(folder, 'outcomes') };
  writeFileSync(files.published, lines(given.published));
  writeFileSync(files.outcomes, lines(given.outcomes));
  const database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
  const store = createAnalyticsStore(database);
  for (const { id, venueId, amount } of given.analytics.recorded) {
    const happened = { eventType: 'order.paid', venueId: venueId ?? randomUUID(), amount: amount ?? 0 };
    await store.record({ id, ...happened, properties: {} });
  }
  await store.record({ id: randomUUID(), eventType: 'ticket.viewed', amount: 1, properties: {} });
  await database.close();
  // A server on a TCP port has an address with a port.
  const url = `http://127.0.0.1:${(ledger.address() as AddressInfo).port}`;
  return { ...files, charges: url, mails: url, analytics: environment.variables['DATABASE_URL'] ?? '' };
}

async function run(sources: Sources): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const args = Object.entries(sources).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = new NodeProcess(['--import', 'tsx', 'tools/demo/checker/main.ts', ...args], ROOT, {});
  return { code: await program.exited, output: program.output };
}

it('succeeds when the books agree, and says so', async () => {
  expect(await run(await lay(soundBooks()))).toEqual({ code: 0, output: expect.stringContaining('agree.') });
});

it('fails when they do not, and names what is wrong', async () => {
  const { code, output } = await run(await lay({ ...soundBooks(), charges: [], mails: [] }));
  expect(code).toBe(1);
  expect(output).toContain('paid  job job-1');
  expect(output).toContain('told  job receipt-1');
});

it('looks into the analytics store by itself', async () => {
  const sound = soundBooks();
  const { code, output } = await run(await lay({ ...sound, analytics: { recorded: [], counted: [] } }));
  expect(code).toBe(1);
  expect(output).toContain('completed, but not recorded: 1');
  expect(output).toContain('sales counted wrongly: 2');
});

it.each([
  ['charges', 'http://127.0.0.1:9'],
  ['mails', 'http://127.0.0.1:9'],
  ['analytics', 'postgres://nobody@127.0.0.1:9/nothing'],
])('does not take silence for agreement: %s', async (source, address) => {
  const sources = { ...(await lay(soundBooks())), [source]: address };
  expect(await run(sources)).toMatchObject({ code: 2 });
});
