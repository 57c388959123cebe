import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { buildChild, CrashProcess } from '../support/crash-process';
import { eventually, gate, openHarness, type Harness } from '../support/harness';
import { openDatabase } from '../support/records';
import { collect, countUnpublished, EXCHANGE, message, write, type Arrival } from '../support/relayed';
import type { Database } from '../../src/platform/postgres/database';

const ROWS = 3_000;
const LIMIT_MS = 60_000;

let harness: Harness;
let database: Database;
let arrivals: Arrival[];
const relays: CrashProcess[] = [];

beforeAll(() => void buildChild());
beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  arrivals = await collect(harness.bus.channel);
});
afterEach(async () => {
  for (const relay of relays.splice(0)) relay.end();
  await database?.close();
  await harness?.close();
});

it('pain 30: bare relays publish the same row each, under an id of their own', async () => {
  const pool = new Pool({ connectionString: harness.environment.variables['DATABASE_URL'], max: 2 });
  const bothHaveRead = gate();
  let readers = 0;
  const relay = async (): Promise<void> => {
    const { rows } = await pool.query<{ seq: string; body: string }>(
      'SELECT seq, body FROM outbox_events WHERE published_at IS NULL ORDER BY seq',
    );
    readers += 1;
    if (readers === 2) bothHaveRead.open();
    await bothHaveRead.opened;
    for (const { seq, body } of rows) {
      await harness.bus.publish(EXCHANGE, 'taken', body, { messageId: randomUUID() });
      await pool.query('UPDATE outbox_events SET published_at = now() WHERE seq = $1', [seq]);
    }
  };
  try {
    await write(database, [message({ body: 'one' }), message({ body: 'two' })]);
    await Promise.all([relay(), relay()]);
    await eventually('all have arrived', () => arrivals.length === 4);
    expect(new Set(arrivals.map(({ messageId }) => messageId)).size).toBe(4);
  } finally {
    await pool.end();
  }
});

it(
  'pain 30: ours publishes each row under its own id, and twice only what was under way when a relay was killed',
  async () => {
    const start = async (): Promise<CrashProcess> => {
      const relay = new CrashProcess(harness.environment.variables, {
        token: `${process.cwd()}/.local/none`,
        roles: ['relay'],
      });
      relays.push(relay);
      await relay.started();
      return relay;
    };
    await Promise.all([start(), start(), start()]);
    const written: string[] = [];
    const put = async (count: number): Promise<void> => {
      for (let rest = count; rest > 0; rest -= 100) {
        const messages = Array.from({ length: 100 }, () => message());
        written.push(...messages.map(({ id }) => id));
        await write(database, messages);
      }
    };
    const allPublished = () => countUnpublished(harness.environment.pool).then((count) => count === 0);
    const distinct = (): number => new Set(arrivals.map(({ messageId }) => messageId)).size;

    await put(ROWS / 3);
    await eventually('all are published', allPublished, LIMIT_MS);
    await eventually('all have arrived', () => distinct() === written.length);
    // Steady state: three relays, and nothing twice.
    expect(arrivals).toHaveLength(written.length);

    let kills = 0;
    for (const part of [1, 2]) {
      const busy = put(ROWS / 3);
      await eventually('the relays are at work', () => distinct() > (part * ROWS) / 3);
      relays[await leader()]?.end();
      kills += 1;
      await busy;
      await start();
      await eventually('all are published', allPublished, LIMIT_MS);
    }
    await eventually('all have arrived', () => distinct() === ROWS);
    expect(arrivals.map(({ messageId }) => messageId).every((id) => written.includes(id))).toBe(true);
    // A killed relay leaves one batch at most that was sent and not marked.
    expect(arrivals.length - ROWS).toBeLessThanOrEqual(kills * 500);
  },
  2 * LIMIT_MS,
);

/** Which of the processes publishes now. */
async function leader(): Promise<number> {
  return eventually('one of them leads', async () => {
    const { rows } = await harness.environment.pool.query<{ holder: string }>(
      `SELECT holder FROM leases WHERE name = 'relay' AND expires_at > now()`,
    );
    // host:pid:random
    const pid = Number(rows[0]?.holder.split(':').at(-2));
    const index = relays.findIndex((relay) => relay.pid === pid && !relay.gone);
    return index < 0 ? undefined : index;
  });
}
