import type { Metrics } from '../platform/metrics';

export type IntakeMetrics = ReturnType<typeof intakeMetrics>;

/** What is told of the door, whatever way a request comes in. */
export function intakeMetrics(metrics: Metrics) {
  return {
    consumed: metrics.counter('requests_consumed_total', 'Requests by what became of them', ['outcome', 'job_type']),
    redeliveries: metrics.counter('redeliveries_total', 'Requests that had been accepted before', ['job_type']),
    deadLetters: metrics.counter('dead_letters_total', 'Messages refused for good', ['code']),
    batchSize: metrics.histogram(
      'intake_batch_size',
      'Messages taken in together',
      [1, 2, 5, 10, 20, 50, 100, 200],
      ['queue'],
    ),
    latency: metrics.histogram(
      'intake_latency_seconds',
      'From delivery to acknowledgement',
      [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      ['queue'],
    ),
    paused: metrics.gauge('intake_paused', '1 while nothing is taken from the queue', ['queue']),
  };
}
