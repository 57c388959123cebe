import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { LIMITERS } from '../../../src/catalogue/limiters';
import type { Config } from '../../../src/config';
import { resumeLimiter, stopLimiter } from '../../../src/limits/overrides';
import type { Database } from '../../../src/platform/postgres/database';
import type { Service } from '../../../src/service';
import { counterOf } from '../../support/counters';
import { excess } from '../../support/excess';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';

const US = { by: 'test', reason: 'to see' };
/** Stripe's, as the catalogue has them. */
const { perSecond, burst } = LIMITERS.stripe;
const USUAL = { RATE_LIMIT_STRIPE: String(perSecond) };

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
jest.setTimeout(180_000);

function startReplicas(
  count: number,
  variables: Record<string, string> = USUAL,
  tune?: (config: Config) => Config,
): Promise<Service[]> {
  return Promise.all(Array.from({ length: count }, () => harness.startService({}, tune, variables)));
}

const pay = (priority: number): Promise<string> =>
  harness.bus.request({
    type: 'payment-process',
    data: payment(),
    idempotencyKey: randomUUID(),
    options: { priority },
  });

async function sum(services: Service[], name: string): Promise<number> {
  const counts = await Promise.all(services.map((service) => counterOf(service, name)));
  return counts.reduce((total, count) => total + count, 0);
}

const row = z.object({
  id: z.string(),
  priority: z.number(),
  attempts: z.number(),
  at: z.number(),
});

/** Every job, with when it came in, in milliseconds since 1970. */
async function jobs(): Promise<z.infer<typeof row>[]> {
  const { rows } = await harness.environment.pool.query(
    'SELECT id, priority, attempts, (EXTRACT(epoch FROM created_at) * 1000)::float8 AS at FROM critical_jobs',
  );
  return z.array(row).parse(rows);
}

/** In ascending order; the middle, or where so many of a hundred are less. */
function percentile(values: number[], percent: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length * percent) / 100)] ?? Number.NaN;
}

it('1,000 payments, three replicas: Stripe never sees more than burst + rate × t, no attempt is spent on waiting, the urgent wait least, and a stop holds within a second', async () => {
  const services = await startReplicas(3);
  const requests = await Promise.all(Array.from({ length: 1_000 }, (_, index) => pay(index % 4 === 0 ? 10 : 1)));
  const charges = () => harness.stripe.ledger();
  await eventually('some are charged', () => charges().length >= 200, 60_000);

  await stopLimiter(database, '*', US);
  const stoppedAt = Date.now();
  // Each that asks while everything is stopped is sent away for about a second.
  const waits = await sum(services, 'rate_limit_waits_total');
  await eventually('many have asked in vain', async () => (await sum(services, 'rate_limit_waits_total')) > waits + 60);
  const resumedAt = Date.now();
  await resumeLimiter(database, '*', US);

  await eventually('all are charged', () => charges().length >= requests.length, 120_000);
  await eventually('all are told', () => requests.every((id) => harness.bus.outcomesOf(id).length > 0), 60_000);
  const chargedAt = new Map(charges().map(({ metadata, at }) => [metadata['job_id'], at]));
  expect(chargedAt.size).toBe(charges().length);
  expect(excess([...chargedAt.values()], { perSecond, burst }, 1)).toBeUndefined();
  const passedWhileStopped = [...chargedAt.values()].filter((at) => at > stoppedAt + 1_000 && at < resumedAt);
  expect(passedWhileStopped).toEqual([]);

  const all = await jobs();
  expect(all.filter(({ attempts }) => attempts !== 1)).toEqual([]);
  const waited = (priority: number) =>
    all.filter((job) => job.priority === priority).map(({ id, at }) => (chargedAt.get(id) ?? Number.NaN) - at);
  expect(percentile(waited(10), 95)).toBeLessThan(percentile(waited(1), 50));
});

it('a provider that limits us is left in peace by all, and no attempt is spent', async () => {
  const services = await startReplicas(2);
  const limited = harness.stripe.fault({ kind: 'rate-limit', retryAfterSeconds: 2 });
  const first = await pay(10);
  await limited.reached;
  const told = Date.now();
  const others = await Promise.all(Array.from({ length: 10 }, () => pay(10)));

  for (const id of [first, ...others]) {
    expect((await harness.bus.outcomeOf(id)).data).toMatchObject({ outcome: 'completed', attempts: 1 });
  }
  const times = harness.stripe.ledger().map(({ at }) => at);
  expect(Math.min(...times) - told).toBeGreaterThan(1_900);
  expect(await sum(services, 'rate_limit_cooldowns_total')).toBe(1);
});

it('a job whose time is over is told so, though its provider keeps everybody waiting', async () => {
  await stopLimiter(database, 'stripe', US);
  await startReplicas(1);
  const options = { expiresAt: new Date(Date.now() + 500).toISOString() };
  const id = await harness.bus.request({ type: 'payment-process', data: payment(), options });

  const { data } = await harness.bus.outcomeOf(id);
  expect(data).toMatchObject({ outcome: 'failed', attempts: 0, error: { code: 'EXPIRED' } });
});

it('a provider that is down is probed by one at a time, and the jobs that wait for it spend no attempt', async () => {
  const minCalls = 5;
  const opensQuickly = (config: Config): Config => {
    const circuit = { ...config.limits.circuit, minCalls, resetMs: 1_000 };
    return { ...config, limits: { ...config.limits, circuit } };
  };
  const services = await startReplicas(3, {}, opensQuickly);
  const down = harness.stripe.fault({ kind: 'unavailable', probability: 1, seed: 1 });
  const requests = await Promise.all(Array.from({ length: 40 }, () => pay(10)));
  const refusedBy = () => sum(services, 'rate_limit_waits_total');
  await eventually('the circuit is open', async () => (await sum(services, 'circuit_trips_total')) > 0);
  await eventually('jobs wait for it', async () => (await refusedBy()) > 200);
  // What was under way when it opened, and a probe every now and then.
  expect(down.hits()).toBeLessThan(60);
  harness.stripe.clearFaults();

  for (const id of requests) await harness.bus.outcomeOf(id, 'completed', 60_000);
  expect(harness.stripe.ledger()).toHaveLength(requests.length);
  const all = await jobs();
  // One call that found the provider down is one attempt; whoever was kept back has spent none.
  expect(all.reduce((spent, { attempts }) => spent + attempts, 0)).toBe(requests.length + down.hits());
  expect(all.filter(({ attempts }) => attempts === 1).length).toBeGreaterThan(0);
});
