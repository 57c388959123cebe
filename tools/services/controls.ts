import { requireBinaries } from './install';
import { serverDirectory } from './layout';
import { withLock } from './lock';
import { postgres } from './postgres';
import { rabbitmq } from './rabbitmq';
import { aofDirectory, redis } from './redis';
import { type ServerDefinition, startServer, stopServer } from './server';
import type { RedisControl, ServerControl, ServiceSet } from './types';

const MONEY = redis('redis-money');
const COMMUNICATION = redis('redis-communication');
const BACKGROUND = redis('redis-background');
const LIMITER = redis('redis-limiter');

/** RabbitMQ first: it is the slow one. */
export const DEFINITIONS: readonly ServerDefinition[] = [rabbitmq, postgres, MONEY, COMMUNICATION, BACKGROUND, LIMITER];

export type Controls = Pick<ServiceSet, 'redis' | 'rabbitmq' | 'postgres' | 'moneyAofDirectory'>;

/** Single servers for fault tests. They keep their ports, so clients find them again. */
export function controlsOf(set: string, lockFile: string): Controls {
  const control = (definition: ServerDefinition): ServerControl => ({
    stop: (options) => withLock(lockFile, () => stopServer(definition, set, options)),
    start: () =>
      withLock(lockFile, async () => {
        await startServer(definition, set, await requireBinaries(() => {}));
      }),
  });
  const redisControl = (definition: ServerDefinition): RedisControl => ({
    ...control(definition),
    directory: serverDirectory(set, definition.name),
  });
  return {
    redis: {
      money: redisControl(MONEY),
      communication: redisControl(COMMUNICATION),
      background: redisControl(BACKGROUND),
    },
    rabbitmq: control(rabbitmq),
    postgres: control(postgres),
    moneyAofDirectory: aofDirectory(set),
  };
}

/** Servers that the environment named are somebody else's: connect, but neither stop nor start them. */
export function externalControls(): Controls {
  const refuse = async (): Promise<never> => {
    throw new Error('this server was named by the environment; only servers that were started here can be controlled');
  };
  const control: ServerControl = { stop: refuse, start: refuse };
  const redisControl: RedisControl = { ...control, directory: '' };
  return {
    redis: { money: redisControl, communication: redisControl, background: redisControl },
    rabbitmq: control,
    postgres: control,
    moneyAofDirectory: '',
  };
}
