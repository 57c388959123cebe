import { canaryMoney } from './canary-money';
import type { JobType } from './job-type';
import { paymentProcess } from './payment-process';

/** Every job type there is. A type is added here and in handlers/index.ts, nowhere else. */
const JOB_TYPES = {
  'payment-process': paymentProcess,
  'canary-money': canaryMoney,
} as const;

export type JobTypeName = keyof typeof JOB_TYPES;

export const jobTypes: readonly JobType[] = Object.values(JOB_TYPES);

const byName: ReadonlyMap<string, JobType> = new Map(jobTypes.map((type) => [type.name, type]));

export function findJobType(name: string): JobType | undefined {
  return byName.get(name);
}
