import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { appendToOutbox } from '../../src/outbox/rows';
import type { Database } from '../../src/platform/postgres/database';
import { eventually, gate, openHarness, type Harness } from '../support/harness';
import { openDatabase } from '../support/records';
import { collect, message, readRows, write, type Arrival } from '../support/relayed';

let harness: Harness;
let database: Database;
let arrivals: Arrival[];

beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  arrivals = await collect(harness.bus.channel);
});
afterEach(async () => {
  await database?.close();
  await harness?.close();
});

/** A transaction that has taken its number in the sequence and commits when it is told to. */
async function slowly(one: ReturnType<typeof message>): Promise<{ commit: () => Promise<void> }> {
  const written = gate();
  const go = gate();
  const done = database.transaction(async (tx) => {
    await appendToOutbox(tx, [one]);
    written.open();
    await go.opened;
  });
  await written.opened;
  return {
    commit: () => {
      go.open();
      return done;
    },
  };
}

const rowsAfter = z.array(z.object({ seq: z.coerce.number(), id: z.string() }));

it('pain 29: bare "last id" cursors never see the row that committed late', async () => {
  const published: string[] = [];
  let last = 0;
  const relay = async (): Promise<void> => {
    const { rows } = await harness.environment.pool.query(
      'SELECT seq, id FROM outbox_events WHERE seq > $1 ORDER BY seq',
      [last],
    );
    for (const row of rowsAfter.parse(rows)) {
      published.push(row.id);
      last = row.seq;
    }
  };
  const [early, late] = [message(), message()];
  const slow = await slowly(early);
  await write(database, [late]);
  await relay();
  await slow.commit();
  await relay();
  await relay();
  expect(published).toEqual([late.id]);
});

it('pain 29: ours publishes the row that committed late, and keeps the order of each key', async () => {
  await harness.startService({}, undefined, { ROLES: 'relay' });
  const keys = [randomUUID(), randomUUID(), randomUUID()];
  const written: ReturnType<typeof message>[] = [];
  const put = async (key: string): Promise<void> => {
    const one = message({ orderingKey: key });
    written.push(one);
    await write(database, [one]);
  };
  const early = message();
  const slow = await slowly(early);
  for (let n = 0; n < 12; n += 1) await put(keys[n % 3] ?? '');
  await eventually('all others have arrived', () => arrivals.length === written.length);
  expect((await readRows(harness.environment.pool)).every(({ published }) => published)).toBe(true);
  await slow.commit();
  await eventually('the late one has arrived', () => arrivals.at(-1)?.messageId === early.id);
  for (const key of keys) {
    const ofKey = written.filter(({ orderingKey }) => orderingKey === key).map(({ id }) => id);
    const arrived = arrivals.map(({ messageId }) => messageId).filter((id) => ofKey.includes(id));
    expect(arrived).toEqual(ofKey);
  }
});
