import type { Database } from '../../../src/platform/postgres/database';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { openDatabase } from '../../support/records';

let environment: TestEnvironment;
let database: Database;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
afterAll(async () => {
  await database?.close();
  await environment?.remove();
});

async function asRead(type: string, elements: unknown[]): Promise<unknown> {
  const [row] = await database.query<{ elements: unknown }>({ text: `SELECT $1::${type}[] AS elements` }, [elements]);
  return row?.elements;
}

it('texts arrive as they are, whatever they say', async () => {
  const texts = [
    '',
    ' ',
    'null',
    'NULL',
    'nullable',
    'a,b',
    '{}',
    '"quoted"',
    'back\\slash',
    '\\"',
    "it's",
    'line\nbreak\ttab\r',
    '\u0001\u001f\u007f',
    'käse 🎟️',
    ' padded ',
    '-',
    'order-1:2.3+4',
    '$1',
    '${x}',
  ];
  expect(await asRead('text', texts)).toEqual(texts);
  for (const text of texts) expect(await asRead('text', [text])).toEqual([text]);
});

it('what is not there is null, and no elements are none', async () => {
  expect(await asRead('text', [null, undefined, 'x', null])).toEqual([null, null, 'x', null]);
  expect(await asRead('uuid', [])).toEqual([]);
});

it('numbers and truth values arrive as such', async () => {
  expect(await asRead('integer', [0, -7, 2_147_483_647])).toEqual([0, -7, 2_147_483_647]);
  expect(await asRead('float8', [1e21, 0.1, -0.5])).toEqual([1e21, 0.1, -0.5]);
  expect(await asRead('boolean', [true, false, null])).toEqual([true, false, null]);
});

it('what only the driver knows how to write is left to it', async () => {
  const at = new Date('2026-11-24T19:00:00.123Z');
  expect(await asRead('timestamptz', [at, null])).toEqual([at, null]);
  expect(await asRead('bytea', [Buffer.from('a"\\b')])).toEqual([Buffer.from('a"\\b')]);
});
