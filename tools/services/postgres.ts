import { execFile } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { searchPath } from './binaries';
import { logFile } from './layout';
import { portsOf } from './ports';
import { postgresPlace, preparePostgresPlace, serverUser } from './postgres-place';
import { spawnDaemon } from './processes';
import type { ServerDefinition } from './server';
import { withLimit } from './wait';

const run = promisify(execFile);
const INITDB_LIMIT_MS = 60_000;
const CONNECT_LIMIT_MS = 3_000;
const OWNER = 'queue';
const DATABASE = 'queue';
/** Only Debian and its like are sure to have C.UTF-8. */
const LOCALE = process.platform === 'linux' ? 'C.UTF-8' : 'C';

/** Durability as in production (it is what the tests are about), memory and connections for a developer's machine. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  fsync: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export const databaseUrl = (port: number, database = DATABASE): string =>
  `postgres://${OWNER}@127.0.0.1:${port}/${database}`;

export const postgres: ServerDefinition = {
  name: 'postgres',
  ports: ['postgres'],
  // PostgreSQL's "fast" stop: clients are disconnected, the data are written out.
  stopSignal: 'SIGINT',
  startLimitMs: 60_000,
  marks: (set) => [postgresPlace(set)],
  launch: async (set, binaries) => {
    const user = serverUser();
    const place = preparePostgresPlace(set, user);
    const directory = path.join(place, 'data');
    const env = { PATH: searchPath(), HOME: place, LANG: LOCALE, LC_ALL: LOCALE };
    if (!existsSync(directory)) {
      await initialise(path.join(binaries.postgresFolder, 'initdb'), directory, { env, ...user });
    }
    const settings = Object.entries({ ...SETTINGS, port: String(portsOf(set).postgres) });
    const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return spawnDaemon(path.join(binaries.postgresFolder, 'postgres'), ['-D', directory, ...args], {
      // Not the caller's folder, which the server's user may have no access to.
      cwd: '/',
      env,
      logFile: logFile(set, 'postgres'),
      user,
    });
  },
  answers: (set) => ensureDatabase(portsOf(set).postgres),
  // After kill -9 the dead server may linger as a zombie, and its children for a moment: their locks then still count.
  passing: /lock file "postmaster\.pid" already exists|pre-existing shared memory block/,
};

/** Into a folder beside it and renamed, so that an interrupted initdb is never mistaken for a database. */
async function initialise(
  initdb: string,
  directory: string,
  options: { env: NodeJS.ProcessEnv; uid?: number; gid?: number },
): Promise<void> {
  const fresh = `${directory}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const args = ['-D', fresh, '-U', OWNER, '-A', 'trust', '-E', 'UTF8', `--locale=${LOCALE}`, '--no-sync'];
  await run(initdb, args, { ...options, cwd: '/', timeout: INITDB_LIMIT_MS });
  renameSync(fresh, directory);
}

/** Answers a query, and has our database. */
async function ensureDatabase(port: number): Promise<boolean> {
  // Loaded here: a command that finds everything running needs no client.
  const { Client } = await import('pg');
  const client = new Client({
    connectionString: databaseUrl(port, 'postgres'),
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: CONNECT_LIMIT_MS,
  });
  // A connection cut between the calls below is reported here as well, and would end the process if nobody listened.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } catch {
    return false;
  } finally {
    await withLimit('end of a PostgreSQL connection', CONNECT_LIMIT_MS, client.end()).catch(() => {});
  }
}
