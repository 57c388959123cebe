import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isLimiterName, type LimitedUse } from '../../src/catalogue/limiters';
import { Gate, gateMetrics, type GateAnswer, type GateOptions } from '../../src/limits/gate';
import type { Override } from '../../src/limits/overrides';
import type { Pass } from '../../src/limits/pass';
import { LimitSettings } from '../../src/limits/settings';
import { LimiterStore } from '../../src/limits/store';
import { uuidV7 } from '../../src/platform/ids';
import { Metrics } from '../../src/platform/metrics';
import { connectRedis, untilReady } from '../../src/platform/redis';
import { pause } from '../../src/platform/time';
import { silentLog } from './records';

export interface Replica {
  gate: Gate;
  store: LimiterStore;
  settings: LimitSettings;
  metrics: Metrics;
  redis: Redis;
}

export interface Fleet {
  replicas: Replica[];
  /** Looks into what they share. */
  redis: Redis;
  prefix: string;
  close: () => Promise<void>;
}

const READY_LIMIT_MS = 10_000;

export const QUICK: GateOptions = {
  leaseMs: 15_000,
  circuit: { windowMs: 30_000, minCalls: 4, thresholdPercent: 50, resetMs: 300, probesToClose: 2 },
};

/** Some processes that share one limiter's Redis, with what an operator has set; each has its own line to it. */
export async function openFleet(
  overrides: Omit<Override, 'stopped'>[],
  given: { replicas?: number; options?: GateOptions; url?: string; read?: () => Promise<Override[]> } = {},
): Promise<Fleet> {
  const { replicas = 3, options = QUICK, url = limiterUrl() } = given;
  const read = given.read ?? (() => Promise.resolve(overrides.map((override) => ({ stopped: false, ...override }))));
  const prefix = `limits-${randomBytes(6).toString('hex')}`;
  const opened = await Promise.all(Array.from({ length: replicas }, () => openReplica(url, prefix, { options, read })));
  for (const { name } of overrides) await fill(opened, name);
  const redis = connectRedis(limiterUrl(), silentLog);
  await untilReady(redis, READY_LIMIT_MS);
  return {
    replicas: opened,
    redis,
    prefix,
    close: async () => {
      await Promise.all(opened.map(closeReplica));
      const keys = await redis.keys(`${prefix}:*`);
      if (keys.length > 0) await redis.unlink(...keys);
      redis.disconnect();
    },
  };
}

async function openReplica(
  url: string,
  prefix: string,
  { options, read }: { options: GateOptions; read: () => Promise<Override[]> },
): Promise<Replica> {
  const redis = connectRedis(url, silentLog, 2_000);
  await untilReady(redis, READY_LIMIT_MS);
  const store = new LimiterStore(redis, prefix);
  const settings = new LimitSettings(read, NO_RATES, silentLog);
  await settings.refresh();
  settings.start();
  const metrics = new Metrics();
  const gate = new Gate(store, settings, options, gateMetrics(metrics), silentLog);
  gate.start();
  return { gate, store, settings, metrics, redis };
}

/** A limiter that nobody has used yet is empty; tests that are not about that begin with a full one. */
async function fill([replica]: Replica[], name: string): Promise<void> {
  if (replica && isLimiterName(name)) await replica.store.reset(name, replica.settings.of(name));
}

async function closeReplica({ gate, settings, redis }: Replica): Promise<void> {
  await gate.stop();
  await settings.stop();
  redis.disconnect();
}

export const NO_RATES = {
  stripe: undefined,
  square: undefined,
  sendgrid: undefined,
  twilio: undefined,
  solana: undefined,
  polygon: undefined,
  quickbooks: undefined,
  push: undefined,
  internal: undefined,
};

/** A job as it comes to the gate. */
export const applicant = (priority = 5) => ({ jobId: uuidV7(), priority });

/** Comes back as often as it is told to, until it passes. */
export async function untilPassed(gate: Gate, use: LimitedUse, job = applicant()): Promise<Pass> {
  for (;;) {
    const answer = await gate.ask(use, job);
    if (answer.kind === 'passed') return answer.pass;
    await pause(answer.afterMs);
  }
}

/** What passes at once. */
export async function pass(gate: Gate, use: LimitedUse): Promise<Pass> {
  return passOf(await gate.ask(use, applicant()));
}

export function passOf(answer: GateAnswer): Pass {
  if (answer.kind !== 'passed') throw new Error(`was told to wait ${answer.afterMs} ms`);
  return answer.pass;
}

/** The clock that the limiter itself goes by, in milliseconds. */
export async function serverTime(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

function limiterUrl(): string {
  const url = process.env['REDIS_LIMITER_URL'];
  if (!url) throw new Error('REDIS_LIMITER_URL is not set: run the tests through npm test');
  return url;
}
