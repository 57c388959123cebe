import { z } from 'zod';
import type { Tier } from '../contract/names';
import { defineJobType } from './job-type';

/** Goes the whole way of a job of its tier and touches nothing outside: the flow's own liveness probe, and the load tests. */
function canary<const Name extends `canary-${Tier}`>(name: Name, queue: Tier, priority: number) {
  return defineJobType({
    name,
    queue,
    priority,
    concurrency: 400,
    timeoutMs: 10_000,
    submittableBy: ['service', 'admin'],
    payload: z.strictObject({ n: z.int(), note: z.string().optional() }),
    result: z.strictObject({ n: z.int() }),
    defaultKey: ({ n, note }) => `canary-${n}-${note ?? ''}`,
  });
}

export const canaryMoney = canary('canary-money', 'money', 10);
export const canaryCommunication = canary('canary-communication', 'communication', 5);
export const canaryBackground = canary('canary-background', 'background', 3);
