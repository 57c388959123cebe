import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Service } from '../../../src/service';
import { around, type Around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';

const claimed = z.array(z.object({ requestId: z.string() }));
const REFUSED = 'refused';

let harness: Harness;
let service: Service | undefined;
const batches: string[][] = [];
let redelivered = 0;

const watch: Around = (run, [claims]) => {
  batches.push(claimed.parse(claims).map(({ requestId }) => requestId));
  return run();
};
const watchAcks: Around = (run, [delivery]) => {
  if (z.object({ redelivered: z.boolean() }).parse(delivery).redelivered) redelivered += 1;
  return run();
};

beforeEach(async () => {
  harness = await openHarness();
  batches.length = 0;
  redelivered = 0;
});
afterEach(async () => {
  await harness?.close();
});

const start = async (): Promise<void> => {
  service = await harness.startService({ decorate: around({ claim: watch, ack: watchAcks }) });
};
const canary = (note: string): Promise<string> => harness.bus.request({ type: 'canary-money', data: { n: 1, note } });
const completed = (ids: string[]) => Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed')));

it('a row that PostgreSQL refuses is refused alone; the rest of its batch is accepted at once', async () => {
  await harness.environment.pool.query(
    `ALTER TABLE critical_jobs ADD CONSTRAINT test_refusal CHECK (data->>'note' <> '${REFUSED}')`,
  );
  const good = [await canary(randomUUID()), await canary(randomUUID())];
  const bad = await canary(REFUSED);
  good.push(await canary(randomUUID()));
  await start();

  const { data } = await harness.bus.outcomeOf(bad);
  expect(data).toMatchObject({ outcome: 'rejected', jobId: null, error: { code: 'NOT_STORABLE', replayable: false } });
  // Neither the statement nor the row that it would have made is told to anybody.
  expect(data.error?.details).toEqual([{ path: 'data', message: 'cannot be stored' }]);
  await completed(good);
  expect(batches[0]).toHaveLength(4);
  expect(redelivered).toBe(0);
});

it('a fault of the schema refuses nobody: everything waits until it is mended', async () => {
  const { pool } = harness.environment;
  await pool.query('ALTER TABLE critical_jobs RENAME COLUMN fingerprint TO not_yet');
  const ids = await Promise.all([1, 2, 3].map(() => canary(randomUUID())));
  await start();
  await eventually('it was tried again', () => batches.length >= 3);
  expect((await pool.query('SELECT FROM dead_letter_jobs')).rowCount).toBe(0);

  await pool.query('ALTER TABLE critical_jobs RENAME COLUMN not_yet TO fingerprint');
  await completed(ids);
  expect(harness.bus.outcomes.filter(({ data }) => data.outcome === 'rejected')).toEqual([]);
});

it('deadlocks that do not end refuse nobody', async () => {
  const id = await canary(randomUUID());
  const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01', severity: 'ERROR' });
  let tries = 0;
  service = await harness.startService({
    decorate: around({
      claim: (run) => {
        tries += 1;
        return tries <= 12 ? Promise.reject(deadlock) : run();
      },
    }),
  });
  expect((await harness.bus.outcomeOf(id)).data.outcome).toBe('completed');
  expect(await service.metrics.registry.getSingleMetricAsString('dead_letters_total')).not.toMatch(/\} \d/);
});
