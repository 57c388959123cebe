import { randomUUID } from 'node:crypto';
import type { QueryResultRow } from 'pg';
import { z } from 'zod';
import { Lease } from '../../../src/platform/lease';
import type { Database, Queryable, Statement } from '../../../src/platform/postgres/database';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { openDatabase, silentLog } from '../../support/records';
import { TcpProxy } from '../../support/tcp-proxy';

const LONG_MS = 10_000_000;
const SHORT_MS = 600;
const row = z.array(z.object({ holder: z.string(), term: z.number() }));

describe('a lease', () => {
  let harness: Harness;
  let database: Database;
  let proxy: TcpProxy;
  let farDatabase: Database;
  let name: string;
  const leases: Lease[] = [];

  beforeAll(async () => {
    harness = await openHarness();
    const url = harness.environment.variables['DATABASE_URL'] ?? '';
    proxy = await TcpProxy.open(url);
    database = openDatabase(url);
    farDatabase = openDatabase(proxy.through(url));
  });
  beforeEach(() => {
    name = randomUUID();
  });
  afterEach(async () => {
    proxy.resume();
    proxy.unblock();
    await Promise.all(leases.splice(0).map((lease) => lease.stop()));
  });
  afterAll(async () => {
    await Promise.all([farDatabase?.close(), database?.close()]);
    await proxy?.close();
    await harness?.close();
  });

  function open(holder: string, ttlMs: number, over: { through?: Queryable; onChange?: (held: boolean) => void } = {}) {
    const { through = database, onChange } = over;
    const lease = new Lease(through, { name, holder, ttlMs, ...(onChange ? { onChange } : {}) }, silentLog);
    leases.push(lease);
    return lease;
  }

  async function written(): Promise<{ holder: string; term: number } | undefined> {
    const { rows } = await harness.environment.pool.query('SELECT holder, term FROM leases WHERE name = $1', [name]);
    return row.parse(rows)[0];
  }

  it('has one holder', async () => {
    const contenders = ['a', 'b', 'c', 'd'].map((holder) => open(holder, LONG_MS));
    for (const lease of contenders) lease.start();
    await eventually('one holds it', () => contenders.some((lease) => lease.held));
    // Each has asked once: stopping waits for the question under way.
    await Promise.all(contenders.filter((lease) => !lease.held).map((lease) => lease.stop()));
    expect(contenders.filter((lease) => lease.held)).toHaveLength(1);
    expect(await written()).toMatchObject({ term: 1 });
  });

  it('that is given up is free at once', async () => {
    const first = open('a', LONG_MS);
    first.start();
    await eventually('the first holds it', () => first.held);
    await first.stop();
    expect(first.held).toBe(false);
    const second = open('b', LONG_MS);
    second.start();
    await eventually('the second holds it', () => second.held);
    expect(await written()).toEqual({ holder: 'b', term: 2 });
  });

  it('keeps its term while it is renewed', async () => {
    let renewals = 0;
    const counting: Queryable = {
      query: (statement, values) => {
        renewals += 1;
        return database.query(statement, values);
      },
    };
    const lease = open('a', SHORT_MS, { through: counting });
    lease.start();
    await eventually('it was renewed', () => renewals >= 4);
    expect(await written()).toEqual({ holder: 'a', term: 1 });
  });

  it.each([
    ['broken', () => proxy.block(), () => proxy.unblock()],
    ['silent', () => proxy.silence(), () => proxy.resume()],
  ])(
    'whose holder has a %s line to the database is not trusted any more when another begins',
    async (_, lose, heal) => {
      const overlaps: boolean[] = [];
      const lost = gate();
      const cut = open('cut', SHORT_MS, { through: farDatabase, onChange: (held) => (held ? undefined : lost.open()) });
      const heir = open('heir', SHORT_MS, { onChange: (held) => held && overlaps.push(cut.held) });
      cut.start();
      await eventually('the first holds it', () => cut.held);
      heir.start();
      lose();
      await eventually('the other has taken over', () => heir.held);
      expect(overlaps).toEqual([false]);
      await lost.opened;
      expect(await written()).toEqual({ holder: 'heir', term: 2 });
      heal();
      await eventually(
        'the first asks again',
        async () => (await farDatabase.query({ text: 'SELECT 1' })).length === 1,
      );
      expect(cut.held).toBe(false);
      expect(heir.held).toBe(true);
    },
  );

  it('counts from when a renewal was asked for, however late its answer is', async () => {
    const answer = gate();
    let asked = 0;
    const slow: Queryable = {
      async query<Row extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<Row[]> {
        const rows = await database.query<Row>(statement, values);
        asked += 1;
        // The second renewal has happened, and its answer is on the way for longer than it lasts.
        if (asked === 2) await answer.opened;
        return rows;
      },
    };
    const late = open('late', SHORT_MS, { through: slow });
    const heir = open('heir', SHORT_MS);
    late.start();
    await eventually('it was renewed', () => asked === 2);
    heir.start();
    await eventually('another holds it', () => heir.held);
    const seen: boolean[] = [];
    answer.open();
    await eventually('the answer has arrived, and it has asked again', () => {
      seen.push(late.held);
      return asked >= 3;
    });
    expect(seen).not.toContain(true);
    expect(late.held).toBe(false);
  });
});
