import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { assertTopology } from '../../src/topology/assert';
import { TOPOLOGY } from '../../src/topology/topology';
import { managementCall } from '../support/harness';

const ROOT = path.resolve(__dirname, '../..');
const FILE = path.join(ROOT, 'topology/definitions.json');

const listed = z.array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }));
const bound = z.array(z.object({ source: z.string(), destination: z.string(), routing_key: z.string() }));

describe('topology/definitions.json', () => {
  const vhost = `definitions-${randomBytes(6).toString('hex')}`;
  const url = new URL(process.env['AMQP_URL'] ?? '');

  beforeAll(async () => {
    await managementCall('PUT', `/api/vhosts/${vhost}`);
    const all = { configure: '.*', write: '.*', read: '.*' };
    await managementCall('PUT', `/api/permissions/${vhost}/${url.username}`, all);
    await managementCall('POST', `/api/definitions/${vhost}`, JSON.parse(readFileSync(FILE, 'utf8')));
  });
  afterAll(() => managementCall('DELETE', `/api/vhosts/${vhost}`));

  it('is what src/topology says', async () => {
    expect(await exitCode(['--check'])).toBe(0);
  });

  it('gives RabbitMQ every exchange, queue and binding', async () => {
    const queues = listed.parse(await managementCall('GET', `/api/queues/${vhost}`));
    const exchanges = listed.parse(await managementCall('GET', `/api/exchanges/${vhost}`));
    const bindings = bound.parse(await managementCall('GET', `/api/bindings/${vhost}`));
    for (const { name, arguments: parameters } of TOPOLOGY.queues) {
      expect(queues).toContainEqual({ name, arguments: parameters });
    }
    expect(queues).toHaveLength(TOPOLOGY.queues.length);
    for (const { name, arguments: parameters } of TOPOLOGY.exchanges) {
      expect(exchanges).toContainEqual({ name, arguments: parameters });
    }
    for (const { exchange, queue, routingKey } of TOPOLOGY.bindings) {
      expect(bindings).toContainEqual({ source: exchange, destination: queue, routing_key: routingKey });
    }
  });

  it('agrees with what the service declares at its start', async () => {
    const own = new URL(url);
    own.pathname = `/${vhost}`;
    await expect(assertTopology(own.toString())).resolves.toBeUndefined();
  });
});

function exitCode(args: string[]): Promise<number> {
  const program = ['--require', 'tsx/cjs', 'tools/topology/main.ts', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, program, { cwd: ROOT, timeout: 30_000 }, (error) => {
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : -1);
    });
  });
}
