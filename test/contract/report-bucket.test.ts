/** Reports in a bucket: the real SDK against s3rver, which others wrote. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';
import { createReportBucket } from '../../src/providers/report-store/bucket';
import { eventually } from '../support/harness';

let folder: string;
let server: http.Server;
let port: number;
/** What it was asked for, as methods and places. */
let asked: string[];
const signal = new AbortController().signal;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'bucket-'));
  const s3 = new S3rver({ silent: true, directory: folder, configureBuckets: [{ name: 'reports', configs: [] }] });
  await s3.configureBuckets();
  const handle = s3.getMiddleware();
  server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handle(request, response);
  });
  port = await listen(server);
});
afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  asked = [];
});

/** Answers with the port. */
async function listen(one: http.Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  // A server on a TCP port has an address with a port.
  return (one.address() as AddressInfo).port;
}

function bucket(over: Partial<Parameters<typeof createReportBucket>[0]> = {}) {
  return createReportBucket({
    bucket: 'reports',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    answerTimeoutMs: 10_000,
    ...over,
  });
}

async function read(key: string): Promise<Buffer | undefined> {
  const content = await bucket().read(key);
  return content && buffer(content);
}

it('gives back what was written, replaces it, and forgets it', async () => {
  const key = `${randomUUID()}.csv`;
  const place = bucket();
  for (const text of ['first', 'second']) {
    await place.write(key, 'text/csv', Readable.from([text]), signal);
    expect((await read(key))?.toString()).toBe(text);
  }
  await place.remove(key);
  await place.remove(key);
  expect(await place.read(key)).toBeUndefined();
});

it('takes many parts as one object', async () => {
  const key = `${randomUUID()}.csv`;
  const bytes = Buffer.alloc(12 * 1024 * 1024, 'a line\n');
  await bucket().write(key, 'text/csv', Readable.from(chunksOf(bytes)), signal);
  expect((await read(key))?.equals(bytes)).toBe(true);
});

it.each(['the content fails', 'it is told to stop'])(
  'shows nothing, and has its parts dropped, when %s half way',
  async (how) => {
    const key = `${randomUUID()}.csv`;
    const content = new PassThrough();
    const stopping = new AbortController();
    const writing = bucket().write(key, 'text/csv', content, stopping.signal);
    for (const chunk of chunksOf(Buffer.alloc(6 * 1024 * 1024))) content.write(chunk);
    await eventually('parts are being sent', () => asked.some((one) => one.startsWith('PUT')));
    if (how === 'the content fails') content.destroy(new Error('the records went away'));
    else stopping.abort();
    await expect(writing).rejects.toThrow();
    expect(await bucket().read(key)).toBeUndefined();
    // s3rver itself does not drop them.
    expect(asked).toContainEqual(expect.stringMatching(new RegExp(`^DELETE /reports/${key}\\?.*uploadId=`)));
  },
);

it.each([
  ['there is no such bucket', { bucket: 'nothing' }],
  ['it does not know us', { credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } }],
  ['nobody listens', { endpoint: 'http://127.0.0.1:1' }],
])('says that it cannot be used when %s', async (_, over) => {
  const place = bucket(over);
  const key = `${randomUUID()}.csv`;
  await expect(place.write(key, 'text/csv', Readable.from(['text']), signal)).rejects.toMatchObject({
    name: 'UnavailableError',
  });
  await expect(place.read(key)).rejects.toMatchObject({ name: 'UnavailableError' });
});

it('gives up a bucket that takes requests and does not answer', async () => {
  const silent = http.createServer(() => undefined);
  const place = bucket({ endpoint: `http://127.0.0.1:${await listen(silent)}`, answerTimeoutMs: 200 });
  await expect(place.read('a.csv')).rejects.toMatchObject({ name: 'UnavailableError' });
  const content = Readable.from(['text']);
  await expect(place.write('a.csv', 'text/csv', content, signal)).rejects.toMatchObject({ name: 'UnavailableError' });
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
