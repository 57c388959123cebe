import { z } from 'zod';
import type { Tier } from '../contract/names';
import { defineJobType } from './job-type';

/** Goes the whole way of a job of its tier and touches nothing outside: the flow's own liveness probe, and the load tests. */
function canary<const Name extends `canary-${Tier}`>(name: Name, queue: Tier) {
  return defineJobType({
    name,
    queue,
    // Whether a queue lives must not be told by how long its backlog is.
    priority: 10,
    concurrency: 400,
    timeoutMs: 10_000,
    submittableBy: ['service', 'admin'],
    payload: z.strictObject({ n: z.int(), note: z.string().optional() }),
    result: z.strictObject({ n: z.int() }),
    defaultKey: ({ n, note }) => `canary-${n}-${note ?? ''}`,
  });
}

export const canaryMoney = canary('canary-money', 'money');
export const canaryCommunication = canary('canary-communication', 'communication');
export const canaryBackground = canary('canary-background', 'background');
