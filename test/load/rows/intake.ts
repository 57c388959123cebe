import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage/stage';
import { takeTurn, type Turn } from '../stage/turn';
import { cpuFigures, jobsOf, warmUpOf } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';
import { services } from './throughput';

const USUAL_JOBS = 15_000;
const USUAL_RUNS = 3;
const LOOK_EVERY_MS = 50;

export const intake: Row = {
  name: 'intake',
  about: 'money requests from the broker into PostgreSQL and Redis, with nobody who works on them',
  measure: async (stage) => {
    const jobs = jobsOf(stage, USUAL_JOBS);
    const takers = services(stage, { ROLES: 'consumer' });
    const measured = await interleaved(
      stage,
      takers,
      (contestant) => takeTurn(stage, contestant, (turn) => takeAll(stage, turn, jobs)),
      USUAL_RUNS,
    );
    return { jobs, measured, checks: [] };
  },
};

async function takeAll({ signal }: Stage, { place, drive, cpu }: Turn, jobs: number): Promise<Record<string, number>> {
  const client = new Client({ connectionString: place.variables.DATABASE_URL });
  await client.connect();
  try {
    const warmUp = warmUpOf(jobs);
    await drive.publish('canary-money', warmUp);
    await untilTaken(client, warmUp, signal);
    const [before, begun] = [cpu.read(), performance.now()];
    await drive.publish('canary-money', jobs);
    await untilTaken(client, warmUp + jobs, signal);
    const seconds = (performance.now() - begun) / 1_000;
    return { 'requests/s': jobs / seconds, ...cpuFigures(cpu.since(before), jobs, seconds) };
  } finally {
    await client.end();
  }
}

async function untilTaken(client: Client, jobs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { rows } = await client.query<{ jobs: number }>('SELECT count(*)::integer AS jobs FROM critical_jobs');
    if ((rows[0]?.jobs ?? 0) >= jobs) return;
    await sleep(LOOK_EVERY_MS);
  }
}
