import type { Check } from '../checks';
import { medianOf, ratioInWords, ratiosOf, type Measured } from '../figures';
import { bare, service, type Contestant } from '../stage/contestants';
import type { Stage } from '../stage/stage';
import { CPU_PER_JOB, JOBS_PER_SECOND, jobsOf, runEndToEnd } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';

export const throughput: Row = {
  name: 'throughput',
  about: 'money jobs from request to outcome, beside the bare pipeline',
  measure: async (stage) => {
    const jobs = jobsOf(stage);
    const contestants = [bare, ...services(stage)];
    const measured = await interleaved(stage, contestants, (contestant) =>
      runEndToEnd(stage, contestant, { type: 'canary-money', jobs }),
    );
    const rate = (name: string): number => medianOf(measured, name, JOBS_PER_SECOND);
    const checks: Check[] = [
      {
        what: 'money jobs/s, against the bare pipeline',
        value: rate('service') / rate('bare'),
        first: 0.7,
        goal: 0.85,
        better: 'more',
        unit: ' ×',
      },
      {
        what: 'CPU of a money job, all servers and the program',
        value: medianOf(measured, 'service', CPU_PER_JOB),
        first: 0.8,
        goal: 0.65,
        better: 'less',
        unit: ' ms',
      },
    ];
    return { jobs, measured, checks, notes: againstOlder(stage, measured) };
  },
};

function againstOlder({ against }: Stage, measured: Measured[]): string[] {
  if (!against) return [];
  const ratios = ratiosOf(measured, JOBS_PER_SECOND, 'service', against.name);
  return [`this build against ${against.name}: ${ratioInWords(ratios)}`];
}

/** This build, and the one of `--against`. */
export function services({ build, against }: Stage, variables: Record<string, string> = {}): Contestant[] {
  return [service('service', build, variables), ...(against ? [service(against.name, against.build, variables)] : [])];
}
