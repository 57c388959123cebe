import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { QUEUES } from '../../../src/contract/names';
import { Metrics } from '../../../src/platform/metrics';
import { RabbitConnection } from '../../../src/platform/rabbitmq/connection';
import { Consumer, consumerMetrics, type Delivery } from '../../../src/platform/rabbitmq/consumer';
import type { Service, ServiceOverrides } from '../../../src/service';
import { declareTopology } from '../../../src/topology/assert';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { silentLog } from '../../support/records';

/** As far as these tests look into what a step was given. */
const claims = z.tuple([z.array(z.object({ requestId: z.string() }))]);
const delivery = z.tuple([z.object({ content: z.instanceof(Buffer), redelivered: z.boolean() })]);

describe('the intake', () => {
  let harness: Harness;
  let service: Service | undefined;

  beforeAll(async () => {
    harness = await openHarness();
  });
  afterEach(() => service?.stop());
  afterAll(() => harness?.close());

  const start = async (overrides: ServiceOverrides = {}): Promise<void> => {
    service = await harness.startService(overrides);
  };
  const canary = (n: number, more: { source?: string; idempotencyKey?: string; id?: string } = {}): Promise<string> =>
    harness.bus.request({ type: 'canary-money', data: { n, note: randomUUID() }, ...more });

  it('acknowledges only what is durable', async () => {
    const durable: boolean[] = [];
    await start({
      decorate: around({
        ack: async (run, args) => {
          const { rowCount } = await harness.environment.pool.query('SELECT FROM critical_jobs WHERE request_id = $1', [
            requestIdOf(args),
          ]);
          durable.push(rowCount === 1);
          return run();
        },
      }),
    });
    const ids = await Promise.all([1, 2, 3].map((n) => canary(n)));
    await Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed')));
    expect(durable).toEqual([true, true, true]);
  });

  it('keeps the keys of different callers apart', async () => {
    await start();
    const idempotencyKey = randomUUID();
    const one = await canary(1, { source: '/one', idempotencyKey });
    const other = await canary(2, { source: '/other', idempotencyKey });
    expect((await harness.bus.outcomeOf(one)).data.outcome).toBe('completed');
    expect((await harness.bus.outcomeOf(other)).data.outcome).toBe('completed');
  });

  it('refuses a key, or an identity, that stands for another payload', async () => {
    await start();
    const idempotencyKey = randomUUID();
    const id = await canary(1, { idempotencyKey });
    await harness.bus.outcomeOf(id, 'completed');
    const sameKey = await canary(2, { idempotencyKey });
    expect((await harness.bus.outcomeOf(sameKey)).data.error?.code).toBe('IDEMPOTENCY_CONFLICT');
    await canary(3, { id });
    const reused = await eventually('the identity is refused', () => harness.bus.outcomesOf(id, 'rejected')[0], 10_000);
    expect(reused.data.error?.code).toBe('REQUEST_ID_REUSED');
  });

  it('answers a duplicate of unfinished work again when that work ends', async () => {
    const held = gate();
    await start({
      decorate: around({
        'run job': async (run) => {
          await held.opened;
          return run();
        },
      }),
    });
    const data = { n: 7, note: randomUUID() };
    const first = await harness.bus.request({ type: 'canary-money', data });
    const second = await harness.bus.request({ type: 'canary-money', data });
    expect((await harness.bus.outcomeOf(second, 'duplicate')).data.result).toBeNull();
    held.open();
    await harness.bus.outcomeOf(first, 'completed');
    await eventually(
      'the duplicate gets the result',
      () => harness.bus.outcomesOf(second, 'duplicate').some((outcome) => outcome.data.result !== null),
      10_000,
    );
  });

  it('does not let a request that cannot be stored harm its neighbours', async () => {
    const ids = await Promise.all([1, 2, 3, 4, 5].map((n) => canary(n)));
    const bad = ids[2] ?? '';
    // Not a failure of the server, but of this statement.
    const refused = Object.assign(new Error('cannot be stored'), { code: '22P05', severity: 'ERROR' });
    const batches: number[] = [];
    const handedOutAgain: boolean[] = [];
    await start({
      decorate: around({
        claim: (run, args) => {
          const asked = claims.parse(args)[0].map(({ requestId }) => requestId);
          batches.push(asked.length);
          return asked.includes(bad) ? Promise.reject(refused) : run();
        },
        ack: (run, args) => {
          handedOutAgain.push(delivery.parse(args)[0].redelivered);
          return run();
        },
      }),
    });
    expect((await harness.bus.outcomeOf(bad)).data.error?.code).toBe('NOT_STORABLE');
    await Promise.all(ids.filter((id) => id !== bad).map((id) => harness.bus.outcomeOf(id, 'completed')));
    await eventually('all are acknowledged', () => handedOutAgain.length === ids.length, 10_000);
    expect(Math.max(...batches)).toBeGreaterThan(1);
    expect(handedOutAgain).not.toContain(true);
  });

  it('takes a message that was handed out before alone', async () => {
    const ids = await Promise.all([1, 2, 3, 4, 5].map((n) => canary(n)));
    const batches: string[][] = [];
    const redelivered = new Set<string>();
    await start({
      decorate: around({
        claim: (run, args) => {
          batches.push(claims.parse(args)[0].map(({ requestId }) => requestId));
          return batches.length === 1 ? Promise.reject(new Error('the server is away')) : run();
        },
        ack: (run, args) => {
          if (delivery.parse(args)[0].redelivered) redelivered.add(requestIdOf(args));
          return run();
        },
      }),
    });
    await Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed')));
    await eventually('they are acknowledged', () => redelivered.size > 1, 10_000);
    const together = batches.slice(1).filter((batch) => batch.length > 1 && batch.some((id) => redelivered.has(id)));
    expect(together).toEqual([]);
  });

  it('drops an acknowledgement whose channel is gone', async () => {
    const connection = new RabbitConnection(harness.environment.variables['AMQP_URL'] ?? '', 'test', silentLog);
    const metrics = new Metrics();
    const deliveries: Delivery[] = [];
    const consumer = new Consumer(
      connection,
      { queue: QUEUES.otherRequests, prefetch: 1, setup: declareTopology },
      (arrived) => deliveries.push(arrived),
      consumerMetrics(metrics),
      silentLog,
    );
    consumer.open();
    await harness.bus.publish('jobs.requests', 'nobody.takes-this', '{}');
    await eventually('it arrives', () => deliveries.length === 1);
    await consumer.close();
    consumer.open();
    await eventually('it arrives again', () => deliveries.length === 2);
    expect(() => deliveries[0]?.ack()).not.toThrow();
    expect(await metrics.registry.metrics()).toContain(`stale_ack_total{queue="${QUEUES.otherRequests}"} 1`);
    deliveries[1]?.ack();
    await consumer.close();
    await connection.close();
  });
});

function requestIdOf(args: unknown[]): string {
  const [{ content }] = delivery.parse(args);
  return z.object({ id: z.string() }).parse(JSON.parse(content.toString())).id;
}
