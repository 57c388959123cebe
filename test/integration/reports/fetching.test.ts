import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { done } from '../../../src/handlers/outcome';
import type { Handler } from '../../../src/handlers/handler';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { insertPast, pastPayment } from '../../support/money-history';
import { digestOf, january } from '../../support/reports';
import { TokenIssuer } from '../../support/tokens';

const VENUE = randomUUID();
const issuer = new TokenIssuer();
const owner = issuer.token('venue_admin', { id: 'owner', venues: [VENUE] });
const ending = gate();

const halfWay: Handler = async (_, { progress }) => {
  progress(42.7);
  // What comes late, and is less, is not told.
  progress(10);
  await ending.opened;
  return done({ n: 1 });
};

let harness: Harness;
let api: ApiClient;
let folder: string;
let id: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reports-'));
  harness = await openHarness();
  const variables = { JWT_PUBLIC_KEY: issuer.publicKey, REPORTS_DIR: folder };
  const service = await harness.startService(
    { handlers: new Map([['canary-background', halfWay]]) },
    undefined,
    variables,
  );
  api = new ApiClient(addressOf(service));
  await insertPast(harness.environment.pool, pastPayment({ venueId: VENUE }));
  id = await completed(owner, january());
});
afterAll(async () => {
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks for a report by HTTP and waits until it is there; answers with its id. */
async function completed(token: string, data: Record<string, unknown>): Promise<string> {
  const created = await api.post('/jobs', { token, json: { type: 'generate-report', data } });
  expect(created.status).toBe(201);
  const { jobId } = created.body as { jobId: string };
  await eventually('the report is there', async () => {
    const { body } = await api.get(`/jobs/${jobId}`, { token });
    return (body as { state: string }).state === 'completed';
  });
  return jobId;
}

it('is fetched by the link of its result, whole, as a file to be saved', async () => {
  const { body } = await api.get(`/jobs/${id}`, { token: owner });
  const { result } = body as { result: { url: string; size: number; sha256: string } };
  const answer = await api.get(result.url.replace('/api/v1/queue', ''), { token: owner });
  expect(answer.status).toBe(200);
  const bytes = readFileSync(path.join(folder, `${id}.csv`));
  expect(answer.body).toBe(bytes.toString().replace('\ufeff', ''));
  expect(digestOf(bytes)).toBe(result.sha256);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'content-length': String(result.size),
    'content-disposition': 'attachment; filename="sales-2026-01-01-2026-01-31.csv"',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
});

it.each([
  ['an admin', issuer.token('admin'), 200],
  ['an admin of another venue', issuer.token('venue_admin', { venues: [randomUUID()] }), 404],
  ['a user', issuer.token('user', { id: 'owner' }), 404],
  ['another service', issuer.token('service', { id: 'other' }), 404],
])('%s gets it, or is told that there is none', async (_, token, status) => {
  expect((await api.get(`/reports/${id}`, { token })).status).toBe(status);
});

it('of all venues is for the service that asked for it, and no venue', async () => {
  const token = issuer.token('service', { id: 'shop' });
  const all = await completed(token, january({ format: 'json' }));
  expect(await api.get(`/reports/${all}`, { token })).toMatchObject({
    status: 200,
    body: { report: { title: 'Sales' } },
  });
  expect((await api.get(`/reports/${all}`, { token: owner })).status).toBe(404);
});

it('that does not exist, has expired, or whose file is gone, is not there', async () => {
  expect((await api.get(`/reports/${randomUUID()}`, { token: owner })).status).toBe(404);
  expect((await api.get('/reports/..%2f..%2fetc%2fpasswd', { token: owner })).status).toBe(404);
  const gone = await completed(owner, january({ reportType: 'payouts' }));
  rmSync(path.join(folder, `${gone}.csv`));
  expect((await api.get(`/reports/${gone}`, { token: owner })).status).toBe(404);
  const expired = await completed(owner, january({ reportType: 'reconciliation' }));
  await harness.environment.pool.query('UPDATE reports SET expires_at = now() WHERE id = $1', [expired]);
  expect((await api.get(`/reports/${expired}`, { token: owner })).status).toBe(404);
});

it.each([
  ['ends before it starts', { startDate: '2026-02-01' }],
  ['is longer than a year', { endDate: '2027-01-02' }],
  ['names no day', { startDate: '2026-02-30' }],
])('a period that %s is refused', async (_, over) => {
  const answer = await api.post('/jobs', { token: owner, json: { type: 'generate-report', data: january(over) } });
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
});

it('how far a job is, is told while it runs', async () => {
  const token = issuer.token('admin');
  const created = await api.post('/jobs', { token, json: { type: 'canary-background', data: { n: 1 } } });
  const { jobId } = created.body as { jobId: string };
  const progress = async () => ((await api.get(`/jobs/${jobId}`, { token })).body as { progress: number }).progress;
  await eventually('it is told', async () => (await progress()) === 42);
  ending.open();
  await eventually('it has ended', async () => (await progress()) === 100);
});
