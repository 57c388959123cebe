import type { JobType } from '../catalogue/job-type';
import { retryRuleOf } from '../catalogue/queues';
import type { JobOptions } from '../contract/job-request';

/** What a job gets: by its request, else by its type, else by its queue. */
export function effectiveOptions(type: JobType, options: JobOptions) {
  return {
    priority: options.priority ?? type.priority,
    delay: options.delay ?? 0,
    attempts: options.attempts ?? retryRuleOf(type).attempts,
    timeout: options.timeout ?? type.timeoutMs,
  };
}
