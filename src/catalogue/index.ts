import { canaryMoney } from './canary-money';
import type { JobType } from './job-type';
import { paymentProcess } from './payment-process';

/** Every job type there is. A type is added here and in handlers/index.ts, nowhere else. */
const JOB_TYPES: JobType[] = [paymentProcess, canaryMoney];

const byName = new Map(JOB_TYPES.map((type) => [type.name, type]));

export function findJobType(name: string): JobType | undefined {
  return byName.get(name);
}
