import { z } from 'zod';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { TOPOLOGY } from '../../../src/topology/topology';
import { definitions } from '../../../tools/topology/definitions';

const consumed = TOPOLOGY.queues.map(({ name, arguments: parameters }) => ({ name, parameters }));

describe('the topology', () => {
  it.each(consumed.filter(({ name }) => name !== QUEUES.deadRequests))(
    'gives what $name gives up to a queue, without losing it on the way',
    ({ parameters }) => {
      expect(parameters).toMatchObject({
        'x-queue-type': 'quorum',
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
        'x-dead-letter-exchange': EXCHANGES.dead,
      });
      expect(parameters).not.toHaveProperty(['x-dead-letter-routing-key']);
    },
  );

  it('has a place for every dead letter, whatever its key', () => {
    expect(TOPOLOGY.bindings).toContainEqual({
      exchange: EXCHANGES.dead,
      queue: QUEUES.deadRequests,
      routingKey: '#',
    });
  });

  it('lets nothing fall out of the last queue', () => {
    const last = consumed.find(({ name }) => name === QUEUES.deadRequests);
    expect(Object.keys(last?.parameters ?? {}).filter((name) => name.startsWith('x-dead-letter'))).toEqual([]);
  });
});

/** What RabbitMQ's importer looks at (`rabbit_definitions:import_parsed`): without these members it refuses or guesses. */
const common = { vhost: z.literal('/'), durable: z.literal(true), auto_delete: z.literal(false) };
const parameters = z.record(z.string(), z.union([z.string(), z.int()]));
const importable = z.strictObject({
  vhosts: z.tuple([z.strictObject({ name: z.literal('/') })]),
  exchanges: z.array(
    z.strictObject({
      name: z.string().min(1).max(255),
      ...common,
      type: z.enum(['topic', 'fanout', 'direct', 'headers']),
      internal: z.boolean(),
      arguments: parameters,
    }),
  ),
  queues: z.array(
    z.strictObject({ name: z.string().min(1).max(255), ...common, type: z.literal('quorum'), arguments: parameters }),
  ),
  bindings: z.array(
    z.strictObject({
      source: z.string().min(1),
      vhost: z.literal('/'),
      destination: z.string().min(1),
      destination_type: z.literal('queue'),
      routing_key: z.string().max(255),
      arguments: parameters,
    }),
  ),
});

describe('the definitions for RabbitMQ', () => {
  const { exchanges, queues, bindings } = importable.parse(definitions());
  const exchangeNames = exchanges.map(({ name }) => name);
  const queueNames = queues.map(({ name }) => name);

  it('name everything once', () => {
    const names = [...exchangeNames, ...queueNames, ...bindings.map((binding) => JSON.stringify(binding))];
    expect(new Set(names).size).toBe(names.length);
  });

  it('bind, and lead dead letters and what nobody takes, only to what they create', () => {
    for (const { source, destination } of bindings) {
      expect(exchangeNames).toContain(source);
      expect(queueNames).toContain(destination);
    }
    const targets = [...exchanges, ...queues].flatMap(({ arguments: given }) => [
      given['alternate-exchange'],
      given['x-dead-letter-exchange'],
    ]);
    for (const target of targets.filter((name) => name !== undefined)) expect(exchangeNames).toContain(target);
  });
});
