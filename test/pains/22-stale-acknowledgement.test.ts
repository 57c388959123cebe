import { randomUUID } from 'node:crypto';
import { connect, type Message } from 'amqplib';
import { QUEUES } from '../../src/contract/names';
import { around } from '../support/around';
import { counterOf } from '../support/counters';
import { eventually, gate, openHarness, type Harness } from '../support/harness';
import { MoneyRows } from '../support/money';
import { TcpProxy } from '../support/tcp-proxy';

let harness: Harness;
let line: TcpProxy;

beforeEach(async () => {
  harness = await openHarness();
  line = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
});
afterEach(async () => {
  await harness?.close();
  await line?.close();
});

it('pain 22: bare amqplib acknowledges on a newer channel, and the broker closes that one', async () => {
  const connection = await connect(harness.environment.variables['AMQP_URL'] ?? '');
  const queue = 'bare';
  await harness.bus.channel.assertQueue(queue);
  await harness.bus.publish('', queue, 'work');
  // What a program does whose consumer keeps "the channel" in a variable and replaces it after a reconnect.
  let channel = await connection.createChannel();
  const arrived: Message[] = [];
  const listen = () => channel.consume(queue, (message) => void (message && arrived.push(message)));
  await listen();
  const message = await eventually('it arrives', () => arrived[0]);
  await channel.close();
  channel = await connection.createChannel();
  const closed = gate<Error>();
  channel.on('error', closed.open);

  channel.ack(message);

  expect((await closed.opened).message).toMatch(/unknown delivery tag/);
  await expect(listen()).rejects.toThrow(/channel closed/i);
  await connection.close();
});

it('pain 22: ours skips an acknowledgement of an older channel, and knows the request when it comes again', async () => {
  const rows = new MoneyRows(harness.environment.pool);
  const held = gate();
  const reached = gate();
  let acks = 0;
  const service = await harness.startService(
    {
      decorate: around({
        ack: async (run) => {
          acks += 1;
          if (acks === 1) {
            reached.open();
            await held.opened;
          }
          return run();
        },
      }),
    },
    undefined,
    { AMQP_URL: line.through(harness.environment.variables['AMQP_URL'] ?? '') },
  );
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1, note: randomUUID() } });
  await reached.opened;
  const consumers = async () => (await harness.bus.channel.checkQueue(QUEUES.requests.money)).consumerCount;
  const connections = line.accepted;
  line.cut();
  await eventually('it has connected again', () => line.accepted > connections);
  await eventually('it consumes again', async () => (await consumers()) === 1);
  const reconnected = line.accepted;
  held.open();

  await eventually('the redelivery is known', async () => (await counterOf(service, 'redeliveries_total')) === 1);
  expect(await counterOf(service, 'stale_ack_total')).toBe(1);
  await harness.bus.outcomeOf(id, 'completed');
  expect(await rows.find(id)).toMatchObject({ starts: 1, generation: 1 });
  // The channel is open: what comes next is taken and acknowledged on it.
  const next = await harness.bus.request({ type: 'canary-money', data: { n: 2, note: randomUUID() } });
  await harness.bus.outcomeOf(next, 'completed');
  await eventually('all is acknowledged', () => acks === 3);
  expect(line.accepted).toBe(reconnected);
  await service.stop();
  expect(await harness.bus.channel.checkQueue(QUEUES.requests.money)).toMatchObject({ messageCount: 0 });
});
