import type { Redis } from 'ioredis';

export interface RedisReading {
  /** Including those that scripts run, without the meter's own. */
  commands: number;
  memoryKb: number;
  redisCpuMs: number;
  connections: number;
}

/** Reads what a Redis tells about its work. */
export class RedisMeter {
  private own = 0;

  constructor(private readonly redis: Redis) {}

  async read(): Promise<RedisReading> {
    const info = await this.redis.info('everything');
    const calls = [...info.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)].map(([, count]) => Number(count));
    const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
    this.own += 1;
    return {
      commands: calls.reduce((sum, count) => sum + count, 0) - this.own,
      memoryKb: number('used_memory') / 1_024,
      redisCpuMs: (number('used_cpu_user') + number('used_cpu_sys')) * 1_000,
      connections: number('connected_clients'),
    };
  }

  /** What was added since; connections as they are, without the meter's. */
  async since(before: RedisReading): Promise<RedisReading> {
    const now = await this.read();
    return {
      commands: now.commands - before.commands,
      memoryKb: now.memoryKb - before.memoryKb,
      redisCpuMs: now.redisCpuMs - before.redisCpuMs,
      connections: now.connections - 1,
    };
  }
}
