import { canaryMoney } from './canary-money';
import type { JobType } from './job-type';
import { paymentProcess } from './payment-process';

/** Every job type there is. A type is added here and in handlers/index.ts, nowhere else. */
const JOB_TYPES = {
  'payment-process': paymentProcess,
  'canary-money': canaryMoney,
} as const;

export type JobTypeName = keyof typeof JOB_TYPES;

const byName: ReadonlyMap<string, JobType> = new Map(Object.entries<JobType>(JOB_TYPES));

export function findJobType(name: string): JobType | undefined {
  return byName.get(name);
}
