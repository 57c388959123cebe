import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { searchPath } from './binaries';
import { logFile, serverDirectory } from './layout';
import { portsOf } from './ports';
import { ask } from './probes';
import { spawnDaemon } from './processes';
import type { ServerDefinition } from './server';

type RedisName = 'redis-money' | 'redis-communication' | 'redis-background' | 'redis-limiter';

/** As in production, what each tier may lose is a property of its own Redis. */
export const PERSISTENCE: Record<RedisName, readonly string[]> = {
  'redis-money': ['appendonly yes', 'appendfsync everysec', 'save ""'],
  'redis-communication': ['appendonly no', 'save 300 100'],
  'redis-background': ['appendonly no', 'save ""'],
  'redis-limiter': ['appendonly no', 'save ""'],
};

/** The folder that Redis 7 keeps its append-only files in. */
export const aofDirectory = (set: string): string => path.join(serverDirectory(set, 'redis-money'), 'appendonlydir');

export function redis(name: RedisName): ServerDefinition {
  return {
    name,
    ports: [name],
    stopSignal: 'SIGTERM',
    startLimitMs: 30_000,
    // Redis shows "redis-server 127.0.0.1:<port>" as its command line; its working folder is ours.
    marks: (set) => [serverDirectory(set, name), `127.0.0.1:${portsOf(set)[name]}`],
    launch: async (set, binaries) => {
      const directory = serverDirectory(set, name);
      mkdirSync(directory, { recursive: true });
      const configFile = path.join(directory, 'redis.conf');
      writeFileSync(configFile, `${configuration(name, directory, portsOf(set)[name]).join('\n')}\n`);
      return spawnDaemon(binaries.redisServer, [configFile], {
        cwd: directory,
        env: { PATH: searchPath(), LANG: 'C.UTF-8' },
        logFile: logFile(set, name),
      });
    },
    // While it still loads its data the answer is -LOADING.
    answers: async (set) => (await ask(portsOf(set)[name], 'PING\r\n'))?.startsWith('+PONG') ?? false,
  };
}

function configuration(name: RedisName, directory: string, port: number): string[] {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${JSON.stringify(directory)}`,
    'daemonize no',
    'maxmemory 512mb',
    'maxmemory-policy noeviction',
    ...PERSISTENCE[name],
  ];
}
