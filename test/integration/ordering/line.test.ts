import { done, failed } from '../../../src/handlers/outcome';
import type { Service } from '../../../src/service';
import { openHarness, type Harness } from '../../support/harness';
import { Line, Rehearsal } from '../../support/lines';
import { heldByRedis } from '../../support/many-jobs';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let service: Service;
let rehearsal: Rehearsal;

beforeEach(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  rehearsal = new Rehearsal();
  service = await harness.startService({ handlers: new Map([['canary-money', rehearsal.handler]]) }, quick);
});
afterEach(() => harness?.close());

const held = (): Promise<number> =>
  heldByRedis(harness.environment.redis, harness.environment.variables['QUEUE_PREFIX'] ?? '');
const completed = (ids: string[]) => Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed')));
const jobOf = async (requestId: string): Promise<string> =>
  (await rows.until('the request is a job', requestId, () => true)).id;

async function lineOf(count: number): Promise<{ line: Line; ids: string[] }> {
  const line = new Line(harness);
  const ids: string[] = [];
  for (let n = 1; n <= count; n += 1) ids.push(await line.join(n));
  return { line, ids };
}

describe('jobs of one ordering key', () => {
  it('run one after the other in the order in which they were accepted, and keep no other key waiting', async () => {
    const letGo = rehearsal.hold(1);
    const { ids } = await lineOf(5);
    await rehearsal.until(1);
    const other = new Line(harness);
    await completed([await other.ask(7)]);
    expect(rehearsal.begun).toEqual([1, 7]);
    expect(await held()).toBe(1);

    letGo();
    await completed(ids);
    expect(rehearsal.begun).toEqual([1, 7, 2, 3, 4, 5]);
    expect(rehearsal.mostAtOnce).toBe(1);
    expect(await keys()).toEqual([
      { last_rank: '1', idle: true },
      { last_rank: '5', idle: true },
    ]);
  });

  it('of two sources are not in one line', async () => {
    const letGo = rehearsal.hold(1);
    const line = new Line(harness);
    await line.join(1);
    await rehearsal.until(1);
    const theirs = await harness.bus.request({
      source: '/another-service',
      type: 'canary-money',
      data: { n: 2, note: 'theirs' },
      options: { orderingKey: line.key },
    });
    await completed([theirs]);
    letGo();
  });

  it('wait while the first of them is tried again, which keeps its place', async () => {
    let tries = 0;
    rehearsal.act(1, () => {
      tries += 1;
      return Promise.resolve(
        tries < 3 ? { kind: 'snooze', code: 'NOT_YET', afterMs: 50 } : { kind: 'done', result: { n: 1 } },
      );
    });
    const { ids } = await lineOf(3);
    await completed(ids);
    expect(rehearsal.begun).toEqual([1, 1, 1, 2, 3]);
  });

  it('go on when the first of them has failed, whose replay goes to the end of the line', async () => {
    rehearsal.act(1, () => Promise.resolve(failed('NO', 'not now', { replayable: true })));
    const line = new Line(harness);
    const letGo = rehearsal.hold(2);
    const ids = [await line.ask(1)];
    await harness.bus.outcomeOf(ids[0] ?? '', 'failed');
    for (const n of [2, 3, 4]) ids.push(await line.join(n));
    await rehearsal.until(2);

    rehearsal.act(1, () => Promise.resolve(done({ n: 1 })));
    expect(await service.replayJob(await jobOf(ids[0] ?? ''), 'OPERATOR')).toMatchObject({ kind: 'replayed' });
    letGo();
    await completed(ids);
    expect(rehearsal.begun).toEqual([1, 2, 3, 4, 1]);
  });

  it('do not wait for one that was cancelled while it waited, nor for a first one that was', async () => {
    const first = new Line(harness);
    rehearsal.act(1, () => Promise.resolve({ kind: 'snooze', code: 'NOT_YET', afterMs: 3_600_000 }));
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.push(await first.join(n));
    await rows.until('the first has been put off', ids[0] ?? '', ({ reason }) => reason === 'NOT_YET');
    const [one = '', two = '', three = ''] = ids;

    expect(await service.cancelJob(await jobOf(two), 'OPERATOR')).toEqual({ kind: 'cancelled' });
    expect(rehearsal.begun).toEqual([1]);
    expect(await service.cancelJob(await jobOf(one), 'OPERATOR')).toEqual({ kind: 'cancelled' });
    await completed([three]);
    expect(rehearsal.begun).toEqual([1, 3]);
  });

  it('that expire behind the first of them end in time, and the others keep their places', async () => {
    const letGo = rehearsal.hold(1);
    const { line, ids } = await lineOf(1);
    await rehearsal.until(1);
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const expiring = await line.join(2, { expiresAt });
    ids.push(await line.join(3));

    const { data } = await harness.bus.outcomeOf(expiring, 'failed');
    expect(data).toMatchObject({ error: { code: 'EXPIRED' }, startedAt: null });
    expect(await rows.find(ids[0] ?? '')).toMatchObject({ status: 'processing' });
    letGo();
    await completed(ids);
    expect(rehearsal.begun).toEqual([1, 3]);
  });
});

async function keys(): Promise<unknown[]> {
  const { rows: found } = await harness.environment.pool.query(
    'SELECT last_rank, head_job_id IS NULL AS idle FROM ordering_keys ORDER BY last_rank',
  );
  return found;
}
