import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

/** Beside PATH: sbin is missing from many users' PATH, and Debian keeps two of the three servers out of it anyway. */
const USUAL_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/opt/homebrew/bin',
];

export function searchPath(): string {
  const own = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return [...new Set([...own, ...USUAL_FOLDERS])].join(path.delimiter);
}

export function findProgram(
  name: string,
  folders: readonly string[] = searchPath().split(path.delimiter),
): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

export interface Binaries {
  postgresFolder: string;
  redisServer: string;
  /** RabbitMQ's real scripts. Debian's wrappers in /usr/sbin switch users and refuse to run a private node. */
  rabbitmqFolder: string;
  epmd: string;
}

/** All that is there, and what is not, by the names a person would look for. */
export function findBinaries(): { found: Partial<Binaries>; missing: string[] } {
  const redisServer = findProgram('redis-server') ?? findProgram('valkey-server');
  const postgresFolder = findPostgres();
  const rabbitmqFolder = findRabbitmq();
  const epmd = findProgram('epmd');
  const missing = [
    ...(postgresFolder ? [] : ['PostgreSQL (postgres, initdb)']),
    ...(redisServer ? [] : ['Redis (redis-server)']),
    ...(rabbitmqFolder && epmd ? [] : ['RabbitMQ with Erlang (rabbitmq-server, epmd)']),
  ];
  return {
    found: {
      ...(postgresFolder && { postgresFolder }),
      ...(redisServer && { redisServer }),
      ...(rabbitmqFolder && { rabbitmqFolder }),
      ...(epmd && { epmd }),
    },
    missing,
  };
}

function findPostgres(): string | undefined {
  const folders = [
    ...newestFirst('/usr/lib/postgresql', /^\d+$/).map((folder) => path.join(folder, 'bin')),
    ...newestFirst('/usr', /^pgsql-\d+$/).map((folder) => path.join(folder, 'bin')),
    ...newestFirst('/opt/homebrew/opt', /^postgresql/).map((folder) => path.join(folder, 'bin')),
    ...searchPath().split(path.delimiter),
  ];
  return folders.find(
    (folder) => isExecutable(path.join(folder, 'initdb')) && isExecutable(path.join(folder, 'postgres')),
  );
}

function findRabbitmq(): string | undefined {
  const folders = [
    ...newestFirst('/usr/lib/rabbitmq/lib', /^rabbitmq_server-/).map((folder) => path.join(folder, 'sbin')),
    '/opt/rabbitmq/sbin',
    '/opt/homebrew/opt/rabbitmq/sbin',
    '/usr/local/opt/rabbitmq/sbin',
  ];
  return folders.find((folder) => isExecutable(path.join(folder, 'rabbitmq-server')));
}

function newestFirst(parent: string, pattern: RegExp): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => pattern.test(name))
      .sort((one, other) => other.localeCompare(one, 'en', { numeric: true }))
      .map((name) => path.join(parent, name));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
