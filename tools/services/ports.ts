import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { LOCAL } from './layout';
import { readState, updateState } from './state';
import { PORT_NAMES, type PortName, type Ports } from './types';

/** Below 32768: from there on the system hands ports to outgoing connections, which then block a server's start. */
const LOWEST = 20_000;
const HIGHEST = 31_999;

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

/** Every port of the set, chosen at its first start and kept. Those in `taken` are chosen anew. */
export async function assignPorts(set: string, taken: readonly PortName[]): Promise<void> {
  const current = readState(set).ports;
  const missing = PORT_NAMES.filter((name) => current[name] === undefined || taken.includes(name));
  if (missing.length === 0) return;
  // Sets that are down at the moment keep their ports as well.
  const reserved = new Set(knownSets().flatMap((other) => Object.values(readState(other).ports)));
  const chosen: Partial<Ports> = {};
  for (const name of missing) {
    let port: number;
    do port = randomInt(LOWEST, HIGHEST + 1);
    while (reserved.has(port) || !(await isFree(port)));
    reserved.add(port);
    chosen[name] = port;
  }
  updateState(set, (state) => Object.assign(state.ports, chosen));
}

/** Each is looked up when it is read: a set that an older checkout started has no port for a server that came later. */
export function portsOf(set: string): Ports {
  const { ports } = readState(set);
  const of = (name: PortName): number => {
    const port = ports[name];
    if (port === undefined) throw new Error(`the set ${set} has no port for ${name} yet: it was never started`);
    return port;
  };
  return {
    get postgres() {
      return of('postgres');
    },
    get 'redis-money'() {
      return of('redis-money');
    },
    get 'redis-communication'() {
      return of('redis-communication');
    },
    get 'redis-background'() {
      return of('redis-background');
    },
    get 'redis-limiter'() {
      return of('redis-limiter');
    },
    get amqp() {
      return of('amqp');
    },
    get management() {
      return of('management');
    },
    get distribution() {
      return of('distribution');
    },
    get epmd() {
      return of('epmd');
    },
  };
}

export function knownSets(): string[] {
  try {
    return readdirSync(LOCAL, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
