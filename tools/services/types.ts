/** The servers of a set. The Redis differ in what a restart leaves of them, see redis.ts. */
export const SERVER_NAMES = [
  'rabbitmq',
  'postgres',
  'redis-money',
  'redis-communication',
  'redis-background',
  'redis-limiter',
] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A server needs a port or more; RabbitMQ alone takes four. */
export const PORT_NAMES = [
  'postgres',
  'redis-money',
  'redis-communication',
  'redis-background',
  'redis-limiter',
  'amqp',
  'management',
  'distribution',
  'epmd',
] as const;
export type PortName = (typeof PORT_NAMES)[number];
export type Ports = Record<PortName, number>;

/** Erlang's port mapper is a process of its own, which outlives the RabbitMQ node that needed it. */
export type ProcessName = ServerName | 'epmd';

export interface ServiceUrls {
  DATABASE_URL: string;
  REDIS_MONEY_URL: string;
  REDIS_COMMUNICATION_URL: string;
  REDIS_BACKGROUND_URL: string;
  REDIS_LIMITER_URL: string;
  AMQP_URL: string;
  RABBITMQ_MANAGEMENT_URL: string;
}

export interface StopOptions {
  /** SIGKILL is `kill -9`. Default: the server's own orderly stop. */
  signal?: NodeJS.Signals;
}

/** One server in the hands of a fault test. Both calls resolve when the server is really gone, or really answers. */
export interface ServerControl {
  stop(options?: StopOptions): Promise<void>;
  start(): Promise<void>;
}

export interface RedisControl extends ServerControl {
  /** Where it keeps its data. */
  directory: string;
}

export interface ServiceSet {
  set: string;
  urls: ServiceUrls;
  /** True when this call started at least one server. `stop()` stops just those. */
  startedHere: boolean;
  /** True when the environment named the servers: nothing was started, and the controls below refuse. */
  external: boolean;
  redis: { money: RedisControl; communication: RedisControl; background: RedisControl };
  rabbitmq: ServerControl;
  postgres: ServerControl;
  /** The folder of the money Redis' append-only files, the newest of which ends in `.incr.aof`. */
  moneyAofDirectory: string;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Start only these. The URLs of the others are in the set all the same. */
  only?: readonly ServerName[];
  /** Where URLs may come from; an empty object forces servers of our own. */
  environment?: NodeJS.ProcessEnv;
  log?: (line: string) => void;
}
