import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { check, report, type Sources } from '../../tools/demo/checker';
import type { Evidence } from '../../tools/demo/facts';
import { charge, completed, declined, outcome, published, received, rejected, soundBooks } from '../support/demo/books';

const ROOT = path.resolve(__dirname, '../..');

describe('the checker of the demo', () => {
  let folder: string;
  let server: http.Server;
  let ledger: unknown;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'demo-checker-'));
    server = http.createServer((_, response) => response.end(JSON.stringify(ledger)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  function write(books: Evidence): Sources {
    const lines = (items: unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');
    const files = { published: path.join(folder, 'published'), outcomes: path.join(folder, 'outcomes') };
    writeFileSync(files.published, lines(books.published));
    writeFileSync(files.outcomes, lines(books.outcomes));
    ledger = { charges: books.charges, calls: books.charges.length };
    // A server on a TCP port has an address with a port.
    return { ...files, ledger: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  it('finds nothing where the books agree', async () => {
    const verdict = await check(write(soundBooks()));
    expect(verdict.disagreements).toEqual([]);
    expect(report(verdict)).toMatch(/^all +7 +6 +7 +1$/m);
    expect(report(verdict)).toContain('agree.');
  });

  it('shows an outcome that was delivered again, and counts it once', async () => {
    const books = soundBooks();
    const verdict = await check(write({ ...books, outcomes: [...books.outcomes, ...books.outcomes] }));
    expect(verdict.disagreements).toEqual([]);
    expect(report(verdict)).toContain('7 different ones, 7 of them delivered again');
  });

  /** What is made to disagree, and what must then be named. */
  const cases: [string, (books: Evidence) => Partial<Evidence>, [what: string, id: string][]][] = [
    ['a request without an answer', without('misspelt-rejected'), [['confirmed, but not answered', 'misspelt']]],
    ['a duplicate that was never told the result', without('again-last'), [['confirmed, but not answered', 'again']]],
    [
      'a lost payment',
      (books) => ({ outcomes: books.outcomes.filter(({ event }) => event.data.jobId !== 'job-1'), charges: [] }),
      [
        ['confirmed, but not answered', 'paid'],
        ['confirmed, but not answered', 'again'],
        ['confirmed, but not answered', 'conflict'],
      ],
    ],
    [
      'an answer that only asks for patience',
      replaced(
        'declined-failed',
        outcome('wait', 'attention', { requestId: 'declined', jobId: 'job-2', generation: 1 }),
      ),
      [
        ['confirmed, but not answered', 'declined'],
        ['a job without exactly one terminal outcome', 'job-2/1'],
      ],
    ],
    [
      'two ends of one job',
      plus(outcome('other-end', 'cancelled', { requestId: 'paid', jobId: 'job-1', generation: 1 })),
      [
        ['answered in several ways', 'paid'],
        ['a job without exactly one terminal outcome', 'job-1/1'],
      ],
    ],
    [
      'two jobs for one order',
      (books) => ({
        outcomes: [...books.outcomes, received(completed('again', 'job-3', 3))],
        charges: [...books.charges, charge('charge-3', 'job-3')],
      }),
      [
        ['answered in several ways', 'again'],
        ['wrong answer', 'paid'],
        ['an order charged more than once', 'order-1'],
      ],
    ],
    [
      'one job that charged twice',
      (books) => ({ charges: [...books.charges, charge('charge-2', 'job-1')] }),
      [
        ['charged more than once', 'paid'],
        ['an order charged more than once', 'order-1'],
      ],
    ],
    ['a payment that was never charged', () => ({ charges: [] }), [['completed, but not charged', 'paid']]],
    ['a wrong amount', () => ({ charges: [charge('charge-1', 'job-1', 42)] }), [['wrong amount', 'paid']]],
    [
      'a wrong currency',
      () => ({ charges: [{ ...charge('charge-1', 'job-1'), currency: 'eur' }] }),
      [['wrong amount', 'paid']],
    ],
    [
      'an outcome that names another charge',
      () => ({ charges: [charge('charge-9', 'job-1')] }),
      [['the outcome names another charge', 'paid']],
    ],
    [
      'a charge for a card that was declined',
      (books) => ({ charges: [...books.charges, charge('charge-2', 'job-2')] }),
      [['declined, but charged', 'declined']],
    ],
    [
      'a charge that nobody was told of',
      (books) => ({ charges: [...books.charges, charge('charge-7', 'job-7')] }),
      [['charged without a completed outcome', 'charge-7']],
    ],
    [
      'a charge without a job',
      (books) => ({ charges: [...books.charges, { ...charge('charge-8', ''), metadata: {} }] }),
      [['charged without a completed outcome', 'charge-8']],
    ],
    [
      'a conflict that was charged',
      (books) => ({
        outcomes: books.outcomes.map((record) =>
          record.event.data.requestId === 'conflict' ? received(completed('conflict', 'job-4', 4)) : record,
        ),
        charges: [...books.charges, charge('charge-4', 'job-4')],
      }),
      [
        ['wrong answer', 'conflict'],
        ['an order charged more than once', 'order-1'],
      ],
    ],
    [
      'a decline with another code',
      replaced('declined-failed', {
        ...declined('declined', 'job-2'),
        data: { ...declined('declined', 'job-2').data, error: { code: 'TIMEOUT' } },
      }),
      [['wrong answer', 'declined']],
    ],
    [
      'a decline that is called a success',
      replaced('declined-failed', completed('declined', 'job-2', 2)),
      [
        ['wrong answer', 'declined'],
        ['completed, but not charged', 'declined'],
      ],
    ],
    [
      'a duplicate that names another job',
      replaced(
        'again-last',
        outcome('again-last', 'duplicate', { requestId: 'again', jobId: 'job-2', generation: 1, result: {} }),
      ),
      [['wrong answer', 'again']],
    ],
    [
      'a conflict that names another job',
      replaced('conflict-rejected', rejected('conflict', 'IDEMPOTENCY_CONFLICT', 'data', 'job-2')),
      [['wrong answer', 'conflict']],
    ],
    [
      'a rejection for another reason',
      replaced('misspelt-rejected', rejected('misspelt', 'INVALID_REQUEST', 'data.type')),
      [['wrong answer', 'misspelt']],
    ],
    [
      'a rejection that does not list the problem',
      replaced('misspelt-rejected', rejected('misspelt', 'UNKNOWN_TYPE', 'id')),
      [['wrong answer', 'misspelt']],
    ],
    [
      'a rejection that lists nothing',
      replaced(
        'misspelt-rejected',
        outcome('bare', 'rejected', { requestId: 'misspelt', error: { code: 'UNKNOWN_TYPE' } }),
      ),
      [['wrong answer', 'misspelt']],
    ],
    ['an unreadable message in silence', without('null-rejected'), [['one of these was not answered', 'garbage']]],
    [
      'a refusal of what nobody sent',
      plus({ ...rejected(null, 'UNREADABLE', '(body)'), id: 'surplus' }),
      [
        ['a refusal of what nobody sent', 'null-rejected'],
        ['a refusal of what nobody sent', 'surplus'],
      ],
    ],
    [
      'an outcome for a request that nobody made',
      plus(declined('stranger', 'job-5')),
      [['an outcome for a request that nobody made', 'stranger-failed']],
    ],
    [
      'one outcome id with two contents',
      plus({ ...declined('declined', 'job-9'), id: 'declined-failed' }),
      [['one outcome id, several contents', 'declined-failed']],
    ],
    [
      'a confirmed request that vanished',
      (books) => ({ published: [...books.published, published('payment-process', 'lost', { order: 'order-9' })] }),
      [['confirmed, but not answered', 'lost']],
    ],
  ];

  it.each(cases)('names %s', async (_, disturb, expected) => {
    const books = soundBooks();
    const verdict = await check(write({ ...books, ...disturb(books) }));
    const found = verdict.disagreements.map(({ what, id }) => [what, id]);
    expect(found).toEqual(expect.arrayContaining(expected));
    for (const [what, id] of expected) expect(report(verdict)).toMatch(new RegExp(`${what}[^]*^ {2}${id} `, 'm'));
  });

  it('is a program that succeeds only when the books agree', async () => {
    expect(await run(write(soundBooks()))).toEqual({ code: 0, output: expect.stringContaining('agree.') });
    const lost = { ...soundBooks(), charges: [] };
    expect(await run(write(lost))).toEqual({ code: 1, output: expect.stringContaining('paid  job job-1') });
  });

  it('does not take silence of the ledger for agreement', async () => {
    const sources = { ...write(soundBooks()), ledger: 'http://127.0.0.1:9' };
    expect(await run(sources)).toMatchObject({ code: 2 });
  });
});

function without(id: string): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: books.outcomes.filter(({ event }) => event.id !== id) });
}

function plus(event: Evidence['outcomes'][number]['event']): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: [...books.outcomes, received(event)] });
}

function replaced(id: string, event: Evidence['outcomes'][number]['event']): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: books.outcomes.map((record) => (record.event.id === id ? received(event) : record)) });
}

function run({ published, outcomes, ledger }: Sources): Promise<{ code: number | null; output: string }> {
  const args = ['--published', published, '--outcomes', outcomes, '--ledger', ledger];
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/demo/checker.ts', ...args], { cwd: ROOT });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
