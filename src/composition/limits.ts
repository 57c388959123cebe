import { jobTypes } from '../catalogue';
import { limitersOf } from '../catalogue/choice';
import type { LimiterName } from '../catalogue/limiters';
import { Gate, gateMetrics } from '../limits/gate';
import { keepReadings } from '../limits/history';
import { readOverrides } from '../limits/overrides';
import { LimitSettings } from '../limits/settings';
import { LimiterStore } from '../limits/store';
import { limitWatchMetrics, watchLimits } from '../limits/watch';
import { describeError } from '../platform/logger';
import type { Component } from '../platform/lifecycle';
import { connectRedis, untilReady } from '../platform/redis';
import { Loop } from '../platform/time';
import type { Foundation } from './foundation';

/** The limits of the providers' accounts, which all processes share. */
export interface OpenedLimits {
  store: LimiterStore;
  settings: LimitSettings;
  components: Component[];
}

export function openLimits({ config, database, log }: Pick<Foundation, 'config' | 'database' | 'log'>): OpenedLimits {
  const redis = connectRedis(config.redis.limiterUrl, log, config.redis.commandTimeoutMs);
  const settings = new LimitSettings(() => readOverrides(database), config.limits.rates, log);
  return {
    store: new LimiterStore(redis, config.redis.prefix),
    settings,
    components: [
      {
        name: 'limiter redis',
        // Jobs that ask before it is connected would be sent away for seconds.
        start: () =>
          untilReady(redis, config.redis.commandTimeoutMs).catch((error: unknown) =>
            log.warn('limiter not reached', { error: describeError(error) }),
          ),
        stop: () => Promise.resolve(redis.disconnect()),
      },
      {
        name: 'limits in force',
        start: async () => {
          // Until they are known nothing passes; jobs need not wait for the first look of the loop.
          await settings
            .refresh()
            .catch((error: unknown) => log.warn('limits not read', { error: describeError(error) }));
          settings.start();
        },
        stop: () => settings.stop(),
      },
    ],
  };
}

/** What every attempt asks before it begins. */
export function composeGate(
  { config, metrics, log }: Foundation,
  { store, settings }: OpenedLimits,
): { gate: Gate; component: Component } {
  const gate = new Gate(store, settings, config.limits, gateMetrics(metrics), log);
  return {
    gate,
    component: { name: 'gate', start: () => Promise.resolve(gate.start()), stop: () => gate.stop() },
  };
}

const WATCH_EVERY_MS = 15_000;

/** @param isLeader one process of all tells what the limits look like */
export function composeLimitWatch(
  { database, metrics, log }: Foundation,
  { store, settings }: OpenedLimits,
  isLeader: () => boolean,
): { component: Component; wake: () => void } {
  const instruments = limitWatchMetrics(metrics);
  const steps = {
    isLeader,
    limitOf: (name: LimiterName) => settings.of(name),
    readStatus: store.status.bind(store),
    keep: keepReadings.bind(undefined, database),
  };
  const loop = new Loop(
    () => watchLimits(steps, limitersOf(jobTypes), instruments),
    WATCH_EVERY_MS,
    (error) => log.warn('limits not looked at', { error: describeError(error) }),
  );
  return {
    component: { name: 'limit watch', start: () => Promise.resolve(loop.start()), stop: () => loop.stop() },
    wake: () => loop.poke(),
  };
}
