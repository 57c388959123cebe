import { z } from 'zod';
import { deleteReadings, keepReadings } from '../../../src/limits/history';
import { stopLimiter } from '../../../src/limits/overrides';
import type { Database } from '../../../src/platform/postgres/database';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';

let harness: Harness;
let database: Database;

beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
});
afterEach(async () => {
  await database?.close();
  await harness?.close();
});

const reading = z.object({
  service_name: z.string(),
  tokens_available: z.int(),
  max_concurrent: z.int(),
  waiting_jobs: z.int(),
});

const readings = async () => {
  const { rows } = await harness.environment.pool.query(
    'SELECT service_name, tokens_available, max_concurrent, waiting_jobs FROM rate_limit_metrics',
  );
  return z.array(reading).parse(rows);
};

it('one process of all tells what the limits look like, by gauges and by rows', async () => {
  await stopLimiter(database, 'stripe', { by: 'test', reason: 'to see' });
  const worker = await harness.startService({}, undefined, { ROLES: 'consumer,worker,relay' });
  await harness.bus.request({ type: 'payment-process', data: payment() });
  await eventually('a payment waits', async () =>
    (await worker.metrics.registry.metrics()).includes('rate_limit_waits_total{limiter="stripe",reason="stopped"}'),
  );
  const scheduler = await harness.startService({}, undefined, { ROLES: 'scheduler' });

  const rows = await eventually('it is written down', async () => {
    const found = await readings();
    return found.length > 0 ? found : undefined;
  });
  expect(rows.map(({ service_name }) => service_name).toSorted()).toEqual([
    'internal',
    'polygon',
    'push',
    'sendgrid',
    'solana',
    'square',
    'stripe',
    'twilio',
  ]);
  expect(rows).toContainEqual(expect.objectContaining({ service_name: 'stripe', max_concurrent: 10, waiting_jobs: 1 }));
  const text = await scheduler.metrics.registry.metrics();
  expect(text).toContain('rate_limit_waiting_jobs{limiter="stripe"} 1');
  expect(text).toContain('rate_limit_stopped{limiter="stripe"} 1');
  expect(text).toContain('rate_limit_stopped{limiter="twilio"} 0');
  expect(text).toContain('circuit_open{limiter="stripe"} 0');
});

it('what is older than asked for is deleted in steps', async () => {
  const limit = { perSecond: 1, concurrent: 2, burst: 3, cooldownMs: 0, stopped: false };
  const status = { tokens: 3, inFlight: 0, waiting: 0, cooldownMs: 0, circuit: 'closed', probeInMs: 0 } as const;
  await keepReadings(database, [
    { name: 'stripe', limit, status },
    { name: 'twilio', limit, status },
  ]);
  expect(await deleteReadings(database, new Date(Date.now() - 60_000), 10)).toBe(0);
  const tomorrow = new Date(Date.now() + 86_400_000);
  expect([await deleteReadings(database, tomorrow, 1), await deleteReadings(database, tomorrow, 10)]).toEqual([1, 1]);
  expect(await readings()).toEqual([]);
});
