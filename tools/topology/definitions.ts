import { TOPOLOGY } from '../../src/topology/topology';

/** The virtual host that `rabbitmqctl import_definitions` takes; an import through the API into another one ignores it. */
const VIRTUAL_HOST = '/';

/** The topology as RabbitMQ's definitions. Without users and permissions, which are no business of this service. */
export function definitions() {
  const common = { vhost: VIRTUAL_HOST, durable: true, auto_delete: false };
  return {
    vhosts: [{ name: VIRTUAL_HOST }],
    exchanges: TOPOLOGY.exchanges.map(({ name, type, arguments: parameters }) => ({
      name,
      ...common,
      type,
      internal: false,
      arguments: parameters,
    })),
    queues: TOPOLOGY.queues.map(({ name, arguments: parameters }) => ({
      name,
      ...common,
      type: parameters['x-queue-type'],
      arguments: parameters,
    })),
    bindings: TOPOLOGY.bindings.map(({ exchange, queue, routingKey }) => ({
      source: exchange,
      vhost: VIRTUAL_HOST,
      destination: queue,
      destination_type: 'queue',
      routing_key: routingKey,
      arguments: {},
    })),
  };
}
