import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connect, type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib';
import { jobTypes } from '../../src/catalogue';
import { DOMAIN_EVENTS } from '../../src/contract/domain-events';
import { EXCHANGES, QUEUES } from '../../src/contract/names';
import { TOPOLOGY } from '../../src/topology/topology';
import { eventually, managementCall } from '../support/harness';

const FILE = path.resolve(__dirname, '../../topology/definitions.json');

describe('a broker that imported topology/definitions.json', () => {
  const vhost = `routing-${randomBytes(6).toString('hex')}`;
  let connection: ChannelModel;
  let channel: ConfirmChannel;
  const returned = new Set<unknown>();

  beforeAll(async () => {
    const url = new URL(process.env['AMQP_URL'] ?? '');
    // Imported as a whole, virtual host and all: the way that `rabbitmqctl import_definitions` goes.
    await managementCall('POST', '/api/definitions', importableInto(vhost));
    const all = { configure: '.*', write: '.*', read: '.*' };
    await managementCall('PUT', `/api/permissions/${vhost}/${url.username}`, all);
    url.pathname = `/${vhost}`;
    connection = await connect(url.toString(), { noDelay: true });
    channel = await connection.createConfirmChannel();
    channel.on('return', (message) => returned.add(message.properties.messageId));
  });
  afterAll(async () => {
    await connection?.close();
    await managementCall('DELETE', `/api/vhosts/${vhost}`);
  });

  it.each(jobTypes)('has a place for requests for $name', async ({ name, queue }) => {
    expect(await whereTo(EXCHANGES.requests, `${queue}.${name}`)).toBe(QUEUES.requests[queue]);
  });

  it.each(Object.keys(DOMAIN_EVENTS))('has a place for the event %s', async (name) => {
    expect(await whereTo(EXCHANGES.domainEvents, name)).toBe(QUEUES.domainEvents);
  });

  it.each(['payment-process', 'gold.payment-process', 'moneys.payment-process', ''])(
    'keeps a request that no tier takes (key "%s") for its answer',
    async (key) => {
      expect(await whereTo(EXCHANGES.requests, key)).toBe(QUEUES.otherRequests);
    },
  );

  it('tells the publisher of an event that nobody knows', async () => {
    expect(await whereTo(EXCHANGES.domainEvents, 'order.unheard-of')).toBe('returned to its publisher');
  });

  it.each(TOPOLOGY.queues.filter(({ name }) => name !== QUEUES.deadRequests))(
    'takes what is given up in $name to the dead requests',
    async ({ name }) => {
      const id = randomUUID();
      await publish('', name, id);
      const message = await take(name);
      channel.nack(message, false, false);
      const dead = await take(QUEUES.deadRequests);
      channel.ack(dead);
      expect(dead.properties.messageId).toBe(id);
      expect(dead.properties.headers).toMatchObject({ 'x-first-death-queue': name });
    },
  );

  it('keeps in the dead requests what is given up there', async () => {
    const id = randomUUID();
    await publish('', QUEUES.deadRequests, id);
    // RabbitMQ 4 gives up after 20 times where a queue does not say otherwise.
    for (let time = 0; time < 25; time += 1) channel.nack(await take(QUEUES.deadRequests), false, true);
    const kept = await take(QUEUES.deadRequests);
    channel.ack(kept);
    expect(kept.properties.messageId).toBe(id);
  });

  /** Publishes as services should, and says where the message is then. */
  async function whereTo(exchange: string, key: string): Promise<string> {
    const id = randomUUID();
    await publish(exchange, key, id);
    if (returned.has(id)) return 'returned to its publisher';
    return eventually(`message ${id} in a queue`, async () => {
      for (const { name } of TOPOLOGY.queues) {
        const message = await channel.get(name);
        if (!message) continue;
        channel.ack(message);
        if (message.properties.messageId === id) return name;
      }
      return undefined;
    });
  }

  /** Resolves once it is confirmed; a message that came back did so before. */
  function publish(exchange: string, key: string, messageId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      channel.publish(exchange, key, Buffer.from('{}'), { mandatory: true, persistent: true, messageId }, (error) =>
        error ? reject(new Error('not confirmed')) : resolve(),
      );
    });
  }

  function take(queue: string): Promise<GetMessage> {
    return eventually(`a message in ${queue}`, () => channel.get(queue));
  }
});

function importableInto(vhost: string): unknown {
  return JSON.parse(readFileSync(FILE, 'utf8'), (key, value: unknown) => {
    if (key === 'vhost') return vhost;
    return key === 'vhosts' ? [{ name: vhost }] : value;
  });
}
