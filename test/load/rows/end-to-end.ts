import { MACHINE, type CpuMs } from '../stage/cpu';
import type { Contestant } from '../stage/contestants';
import type { Stage } from '../stage/stage';
import { takeTurn } from '../stage/turn';

export const JOBS_PER_SECOND = 'jobs/s';
/** Over all servers and the program; the load generator is not part of the work. */
export const CPU_PER_JOB = 'CPU ms/job';

const USUAL_JOBS = 15_000;
const MOST_WARM_UP = 2_000;

export function jobsOf(stage: Stage, usual = USUAL_JOBS): number {
  return stage.options.jobs ?? usual;
}

/** Compilers and caches are warm after so many; a short run has a short one. */
export function warmUpOf(jobs: number): number {
  return Math.min(MOST_WARM_UP, Math.ceil(jobs / 2));
}

/** From the first request published to the last outcome confirmed, as fast as it goes. */
export function runEndToEnd(
  stage: Stage,
  contestant: Contestant,
  { type, jobs }: { type: string; jobs: number },
): Promise<Record<string, number>> {
  return takeTurn(stage, contestant, async ({ drive, cpu }) => {
    await drive.burst(type, warmUpOf(jobs));
    await drive.verify();
    const before = cpu.read();
    const { seconds } = await drive.burst(type, jobs);
    const used = cpu.since(before);
    await drive.verify();
    return { [JOBS_PER_SECOND]: jobs / seconds, ...cpuFigures(used, jobs, seconds) };
  });
}

/** Milliseconds a job, for each server and program, and how full the cores were with them, and with whatever else ran. */
export function cpuFigures(used: CpuMs, jobs: number, seconds: number): Record<string, number> {
  const { [MACHINE]: machine = 0, ...ours } = used;
  const parts = Object.entries(ours);
  const ofWork = parts.filter(([name]) => name !== 'driver').reduce((sum, [, ms]) => sum + ms, 0);
  const all = parts.reduce((sum, [, ms]) => sum + ms, 0);
  return {
    ...(ofWork > 0 ? { [CPU_PER_JOB]: ofWork / jobs } : {}),
    ...Object.fromEntries(parts.map(([name, ms]) => [`… ${name}`, ms / jobs])),
    '% of one core, all': all / seconds / 10,
    '% of one core, others': Math.max(0, machine - all) / seconds / 10,
  };
}
