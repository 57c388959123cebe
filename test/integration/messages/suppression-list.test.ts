import type { Database } from '../../../src/platform/postgres/database';
import { createSuppressionList } from '../../../src/providers/suppression-list';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { openDatabase } from '../../support/records';
import { TcpProxy } from '../../support/tcp-proxy';

let environment: TestEnvironment;
let line: TcpProxy;
let database: Database;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  const url = environment.variables['DATABASE_URL'] ?? '';
  line = await TcpProxy.open(url);
  database = openDatabase(line.through(url));
  await environment.pool.query(`
    INSERT INTO email_suppressions (address_digest, reason) VALUES
      (sha256('ada@example.com'), 'unsubscribed'), (sha256('ben@example.com'), 'bounced'),
      (sha256('ben@example.com'), 'unsubscribed')`);
});
afterEach(() => {
  line.unblock();
  line.resume();
});
afterAll(async () => {
  await database?.close();
  await line?.close();
  await environment?.remove();
});

const ALL = ['Ada@Example.com', 'ben@example.com', 'eve@example.com'];
const among = (optional: boolean, timeoutMs = 5_000) =>
  createSuppressionList(database).among(ALL, { optional, timeoutMs });

it('names the addresses as they were asked for', async () => {
  expect(await among(true)).toMatchObject({ kind: 'done', value: new Set(['Ada@Example.com', 'ben@example.com']) });
});

it('lets a mail that is not optional through to whoever only unsubscribed', async () => {
  expect(await among(false)).toMatchObject({ kind: 'done', value: new Set(['ben@example.com']) });
});

it('that cannot be reached says so, and lets nothing through', async () => {
  line.block();
  expect(await among(true)).toMatchObject({ kind: 'refused', code: 'SUPPRESSIONS_UNAVAILABLE' });
});

it('that does not answer says so in time', async () => {
  await among(true);
  line.silence();
  expect(await among(true, 50)).toMatchObject({ kind: 'refused', code: 'SUPPRESSIONS_UNAVAILABLE' });
});
