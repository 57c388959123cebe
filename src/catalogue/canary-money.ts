import { z } from 'zod';
import { defineJobType } from './job-type';

/** Goes the whole way of a money job and touches nothing outside: the flow's own liveness probe, and the load tests. */
export const canaryMoney = defineJobType({
  name: 'canary-money',
  queue: 'money',
  priority: 10,
  concurrency: 400,
  timeoutMs: 10_000,
  submittableBy: ['service', 'admin'],
  payload: z.strictObject({ n: z.int(), note: z.string().optional() }),
  result: z.strictObject({ n: z.int() }),
  defaultKey: ({ n, note }) => `canary-${n}-${note ?? ''}`,
});
