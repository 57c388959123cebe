import type { LimiterName } from '../catalogue/limiters';
import type { Metrics } from '../platform/metrics';
import type { LimiterReading } from './history';
import type { LimitInForce, LimiterStatus } from './store';

export interface LimitWatchSteps {
  isLeader: () => boolean;
  limitOf: (name: LimiterName) => LimitInForce;
  readStatus: (name: LimiterName, limit: LimitInForce) => Promise<LimiterStatus>;
  keep: (readings: LimiterReading[]) => Promise<void>;
}

/** Shared by all replicas, so one of them tells. */
export function limitWatchMetrics(metrics: Metrics) {
  return {
    tokens: metrics.gauge('rate_limit_tokens', 'Requests that may be sent to a provider at once', ['limiter']),
    inFlight: metrics.gauge('rate_limit_in_flight', 'Attempts that use a provider now, in all processes', ['limiter']),
    waiting: metrics.gauge('rate_limit_waiting_jobs', 'Jobs that were told to come back later', ['limiter']),
    stopped: metrics.gauge('rate_limit_stopped', '1 while an operator lets nothing pass', ['limiter']),
    open: metrics.gauge('circuit_open', '1 while a provider is taken to be down, or probed', ['limiter']),
  };
}

/** What the limits of these accounts look like: for dashboards by gauges, and for a look back by rows. */
export async function watchLimits(
  steps: LimitWatchSteps,
  names: readonly LimiterName[],
  metrics: ReturnType<typeof limitWatchMetrics>,
): Promise<void> {
  if (!steps.isLeader()) {
    for (const gauge of Object.values(metrics)) gauge.reset();
    return;
  }
  const readings = await Promise.all(
    names.map(async (name) => {
      const limit = steps.limitOf(name);
      return { name, limit, status: await steps.readStatus(name, limit) };
    }),
  );
  for (const { name, limit, status } of readings) {
    const labels = { limiter: name };
    metrics.tokens.set(labels, status.tokens);
    metrics.inFlight.set(labels, status.inFlight);
    metrics.waiting.set(labels, status.waiting);
    metrics.stopped.set(labels, limit.stopped ? 1 : 0);
    metrics.open.set(labels, status.circuit === 'closed' ? 0 : 1);
  }
  await steps.keep(readings);
}
