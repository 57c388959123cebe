import { Gate, gateMetrics } from '../limits/gate';
import { readOverrides } from '../limits/overrides';
import { LimitSettings } from '../limits/settings';
import { LimiterStore } from '../limits/store';
import { describeError } from '../platform/logger';
import type { Component } from '../platform/lifecycle';
import { connectRedis } from '../platform/redis';
import type { Foundation } from './foundation';

/** The limits of the providers' accounts, which all processes that run jobs share. */
export function composeLimits({ config, database, metrics, log }: Foundation): { gate: Gate; components: Component[] } {
  const redis = connectRedis(config.redis.limiterUrl, log, config.redis.commandTimeoutMs);
  const settings = new LimitSettings(() => readOverrides(database), config.limits.rates, log);
  const store = new LimiterStore(redis, config.redis.prefix);
  const gate = new Gate(store, settings, config.limits, gateMetrics(metrics), log);
  return {
    gate,
    components: [
      { name: 'limiter redis', stop: () => Promise.resolve(redis.disconnect()) },
      {
        name: 'limits',
        start: async () => {
          // Until they are known nothing passes; jobs need not wait for the first look of the loop.
          await settings
            .refresh()
            .catch((error: unknown) => log.warn('limits not read', { error: describeError(error) }));
          settings.start();
          gate.start();
        },
        stop: async () => {
          await gate.stop();
          await settings.stop();
        },
      },
    ],
  };
}
