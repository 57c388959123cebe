import { connect } from 'amqp-connection-manager';
import { connect as connectPlainly } from 'amqplib';
import { startServices, type ServiceSet } from '../../tools/services';
import type { Database } from '../../src/platform/postgres/database';
import type { OutgoingMessage } from '../../src/platform/rabbitmq/publisher';
import { around } from '../support/around';
import { eventually, openHarness, TestBus, type Harness } from '../support/harness';
import { openDatabase } from '../support/records';
import { collect, countUnpublished, EXCHANGE, message, readRows, write, type Arrival } from '../support/relayed';
import { TcpProxy } from '../support/tcp-proxy';

const ROWS = 3_000;
const BATCH = 50;
const CUTS = 20;
const LIMIT_MS = 120_000;

let services: ServiceSet;
let harness: Harness;
let database: Database;
let broker: TcpProxy;

beforeAll(async () => {
  services = await startServices('pain-21', { only: ['rabbitmq'], environment: {}, log: () => undefined });
  // The harness makes its virtual host where these point to.
  process.env['AMQP_URL'] = services.urls.AMQP_URL;
  process.env['RABBITMQ_MANAGEMENT_URL'] = services.urls.RABBITMQ_MANAGEMENT_URL;
}, LIMIT_MS);
afterAll(() => services?.stop());
beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  broker = await TcpProxy.open(amqpUrl());
});
afterEach(async () => {
  broker?.unblock();
  await harness?.close();
  await database?.close();
  await broker?.close();
});

const amqpUrl = (): string => harness.environment.variables['AMQP_URL'] ?? '';

it('pain 21: bare amqp-connection-manager buffers without bounds while the broker is away, and loses it all with the process', async () => {
  const arrivals = await collect(harness.bus.channel);
  const manager = connect([broker.through(amqpUrl())], { reconnectTimeInSeconds: 1 });
  const channel = manager.createChannel({ confirm: true });
  channel.on('error', () => undefined);
  try {
    await channel.waitForConnect();
    broker.block();
    await eventually('it has noticed', () => !manager.isConnected());
    const publications = Array.from({ length: ROWS }, (_, n) =>
      channel.publish(EXCHANGE, 'taken', Buffer.from(`${n}`), { messageId: `${n}` }).catch(() => 'lost'),
    );
    await eventually('all of it is in memory', () => channel.queueLength() === ROWS);
    await channel.close();
    expect(new Set(await Promise.all(publications))).toEqual(new Set(['lost']));
    expect(arrivals).toEqual([]);
  } finally {
    broker.unblock();
    await manager.close();
  }
});

it('pain 21: bare amqplib publications without a confirm are gone when their connection breaks', async () => {
  const arrivals = await collect(harness.bus.channel);
  const connection = await connectPlainly(broker.through(amqpUrl()));
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  broker.silence();
  const accepted = Array.from({ length: 100 }, (_, n) =>
    channel.publish(EXCHANGE, 'taken', Buffer.from(`${n}`), { messageId: `${n}` }),
  );
  expect(new Set(accepted)).toEqual(new Set([true]));
  broker.cut();
  broker.resume();
  // What is published after it has arrived, and nothing of what was published before.
  await harness.bus.publish(EXCHANGE, 'taken', 'after', { messageId: 'after' });
  await eventually('the later one has arrived', () => arrivals.length > 0);
  expect(arrivals.map(({ body }) => body)).toEqual(['after']);
});

it(
  'pain 21: ours publishes each row through 20 cuts and a restart, under the same id, marked only after its confirm',
  async () => {
    const arrivals: Arrival[][] = [await collect(harness.bus.channel)];
    const confirmed = new Set<string>();
    const markedTooSoon: string[] = [];
    let largest = 0;
    await harness.startService(
      {
        decorate: around({
          publish: async (run, [batch]) => {
            // The step's own arguments and answers, whose types the wrapper has lost.
            const messages = batch as OutgoingMessage[];
            largest = Math.max(largest, messages.length);
            const results = (await run()) as PromiseSettledResult<unknown>[];
            results.forEach(({ status }, index) => {
              if (status === 'fulfilled') confirmed.add(messages[index]?.messageId ?? '');
            });
            return results;
          },
          'mark published': (run, [rows]) => {
            for (const { id } of rows as { id: string }[]) if (!confirmed.has(id)) markedTooSoon.push(id);
            return run();
          },
        }),
      },
      (config) => ({ ...config, relay: { ...config.relay, batchSize: BATCH, pollMs: 50 } }),
      { ROLES: 'relay', AMQP_URL: broker.through(amqpUrl()) },
    );
    const { pool } = harness.environment;
    const written: string[] = [];
    const put = async (): Promise<void> => {
      const messages = Array.from({ length: ROWS / CUTS }, () => message());
      written.push(...messages.map(({ id }) => id));
      await write(database, messages);
    };
    for (let cut = 1; cut <= CUTS; cut += 1) {
      const before = broker.accepted;
      await put();
      await eventually('some of it is published', async () => (await countUnpublished(pool)) < ROWS / CUTS);
      if (cut === CUTS / 2) {
        await services.rabbitmq.stop({ signal: 'SIGKILL' });
        await services.rabbitmq.start();
        arrivals.push(await collect((await reopenBus()).channel));
      } else {
        broker.cut();
      }
      await eventually('the relay has connected again', () => broker.accepted > before);
      await eventually('it is all published', async () => (await countUnpublished(pool)) === 0);
    }
    const arrived = (): string[] => arrivals.flat().map(({ messageId }) => messageId);
    await eventually('every row has arrived', () => new Set(arrived()).size === ROWS);
    expect(new Set(arrived())).toEqual(new Set(written));
    expect(markedTooSoon).toEqual([]);
    expect(largest).toBeLessThanOrEqual(BATCH);
    expect((await readRows(pool)).filter(({ attempts }) => attempts > 0)).toEqual([]);
    for (const bus of buses.splice(0)) await bus.close();
  },
  LIMIT_MS,
);

const buses: TestBus[] = [];

async function reopenBus(): Promise<TestBus> {
  const bus = await TestBus.open(amqpUrl());
  buses.push(bus);
  return bus;
}
