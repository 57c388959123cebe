/**
 * Private PostgreSQL, Redis and RabbitMQ in the checkout, for tests, the demo and development. A set lives in
 * .local/<set>: data, logs, and a state file with ports and pids. Whoever starts a set stops it; whoever finds it up
 * leaves it up. Servers named by the environment win, see environment.ts.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { requireBinaries } from './install';
import { setDirectory } from './layout';
import { withLock } from './lock';
import { controlsOf, DEFINITIONS, externalControls } from './controls';
import { portMapperPid, stopPortMapper } from './epmd';
import { urlsFromEnvironment } from './environment';
import { assignPorts, isFree, portsOf } from './ports';
import { amqpUrl, managementUrl } from './rabbitmq';
import { databaseUrl } from './postgres';
import { runningPid, startServer, stopServer } from './server';
import { readState } from './state';
import {
  type PortName,
  SERVER_NAMES,
  type ServerName,
  type ServiceSet,
  type ServiceUrls,
  type StartOptions,
} from './types';

export type {
  RedisControl,
  ServerControl,
  ServerName,
  ServiceSet,
  ServiceUrls,
  StartOptions,
  StopOptions,
} from './types';
export { environmentOf } from './environment';

export async function startServices(set: string, options: StartOptions = {}): Promise<ServiceSet> {
  const external = urlsFromEnvironment(options.environment ?? process.env);
  if (external) {
    return { set, urls: external, startedHere: false, external: true, ...externalControls(), stop: async () => {} };
  }
  const names = options.only ?? SERVER_NAMES;
  const started = await withLock(lockOf(set), () => start(set, names, options.log ?? toStderr));
  return {
    set,
    urls: urlsOf(set),
    startedHere: started.length > 0,
    external: false,
    ...controlsOf(set, lockOf(set)),
    stop: () => stopServices(set, started),
  };
}

/** Stops what runs of the set, or only the servers named. Its data and ports stay for the next start. */
export async function stopServices(set: string, names: readonly ServerName[] = SERVER_NAMES): Promise<void> {
  if (names.length === 0) return;
  await withLock(lockOf(set), () => stop(set, names));
}

/** Stops the set and deletes all of it. */
export async function removeServices(set: string): Promise<void> {
  await stopServices(set);
  const { postgresDirectory } = readState(set);
  if (postgresDirectory) rmSync(postgresDirectory, { recursive: true, force: true });
  rmSync(setDirectory(set), { recursive: true, force: true });
}

export interface ServerStatus {
  name: ServerName;
  pid: number | undefined;
  port: number | undefined;
}

export function statusOf(set: string): ServerStatus[] {
  const { ports } = readState(set);
  return DEFINITIONS.map((definition) => ({
    name: definition.name,
    pid: runningPid(definition, set),
    port: ports[definition.ports[0]],
  }));
}

/** The servers that were started, not those found up. All or nothing: when one fails, the others go down again. */
async function start(set: string, names: readonly ServerName[], log: (line: string) => void): Promise<ServerName[]> {
  const binaries = await requireBinaries(log);
  await assignPorts(set, await portsTakenByOthers(set));
  const wanted = DEFINITIONS.filter((definition) => names.includes(definition.name));
  // All at once: RabbitMQ, the first of them, takes longer than the others together.
  const results = await Promise.allSettled(
    wanted.map(async (definition) => ((await startServer(definition, set, binaries)) ? definition.name : undefined)),
  );
  const started = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop(set, started);
    throw failed.reason;
  }
  return started;
}

async function stop(set: string, names: readonly ServerName[]): Promise<void> {
  const wanted = DEFINITIONS.filter((definition) => names.includes(definition.name));
  await Promise.all(wanted.map((definition) => stopServer(definition, set)));
  if (names.includes('rabbitmq')) await stopPortMapper(set);
}

/** Ports chosen at the first start that somebody else listens on now, while our own server is down. */
async function portsTakenByOthers(set: string): Promise<PortName[]> {
  const { ports } = readState(set);
  const idle = DEFINITIONS.filter((definition) => ports[definition.ports[0]] && !runningPid(definition, set));
  const names = idle.flatMap((definition) => [...definition.ports]);
  // The port mapper may run while its node is down.
  if (ports.epmd && portMapperPid(set) === undefined) names.push('epmd');
  const checks = await Promise.all(names.map(async (name) => ({ name, free: await isFree(ports[name] ?? 0) })));
  return checks.filter((check) => !check.free).map((check) => check.name);
}

function urlsOf(set: string): ServiceUrls {
  const ports = portsOf(set);
  return {
    DATABASE_URL: databaseUrl(ports.postgres),
    REDIS_MONEY_URL: `redis://127.0.0.1:${ports['redis-money']}`,
    REDIS_COMMUNICATION_URL: `redis://127.0.0.1:${ports['redis-communication']}`,
    REDIS_BACKGROUND_URL: `redis://127.0.0.1:${ports['redis-background']}`,
    REDIS_LIMITER_URL: `redis://127.0.0.1:${ports['redis-limiter']}`,
    AMQP_URL: amqpUrl(ports.amqp),
    RABBITMQ_MANAGEMENT_URL: managementUrl(ports.management),
  };
}

const lockOf = (set: string): string => path.join(setDirectory(set), 'lock');
const toStderr = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
