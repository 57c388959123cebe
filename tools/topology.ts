/**
 * `npm run topology` writes topology/definitions.json, which RabbitMQ imports (`rabbitmqctl import_definitions FILE`, or
 * management's POST /api/definitions/<virtual host>); `-- --check` fails when the file is not what src/topology says.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TOPOLOGY } from '../src/topology/topology';

const FILE = path.resolve(__dirname, '../topology/definitions.json');
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

function main(argv: string[]): number {
  const { values } = parseArgs({ args: argv, options: { check: { type: 'boolean', default: false } } });
  const text = `${JSON.stringify(definitions(), null, 2)}\n`;
  const shown = path.relative(process.cwd(), FILE);
  if (!values.check) {
    mkdirSync(path.dirname(FILE), { recursive: true });
    writeFileSync(FILE, text);
    console.log(`${shown} written`);
    return 0;
  }
  if (text === readIfThere(FILE)) return 0;
  console.error(`${shown} is not what src/topology/topology.ts says: run npm run topology`);
  return 1;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
