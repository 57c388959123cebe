import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { alignedTable } from '../../../tools/demo/table';
import { SET_VARIABLE } from '../../../tools/services/environment';
import { rounded } from '../figures';
import { cpuProfile, summarise, type Shares } from '../profile/cpu-profile';
import { readCommands, resetCommands } from '../profile/redis-commands';
import { countingStatements, readStatements, resetStatements } from '../profile/statements';
import { service } from '../stage/contestants';
import { refreshServers, type Stage } from '../stage/stage';
import { takeTurn, type Turn } from '../stage/turn';
import type { Tier } from '../../../src/contract/names';
import { cpuFigures, JOBS_PER_SECOND, jobsOf, warmUpOf } from './end-to-end';
import type { Row, RowResult } from './row';

/** Some seconds at the rate whose latency is measured, at which batches are small. */
const PACE = { jobs: 8_000, perSecond: 1_000 };
const PROBE_LIMIT_MS = 60_000;
const MOST_FUNCTIONS = 40;
const LEAST_SHARE = 0.002;

interface Profiled {
  tier: Tier;
  /** Jobs and their rate; as fast as it goes without it. */
  pace?: { jobs: number; perSecond: number };
}

export const profile = profileOf('profile', 'where the time of a money job goes', { tier: 'money' });
export const profilePaced = profileOf(
  'profile-paced',
  `the same at ${PACE.perSecond} money jobs a second, when batches are small`,
  { tier: 'money', pace: PACE },
);
export const profileLower = profileOf('profile-lower', 'where the time of a communication job goes', {
  tier: 'communication',
});

/** One run, since profiling itself takes time: shares count here, not speed. */
function profileOf(name: string, about: string, profiled: Profiled): Row {
  return { name, about, measure: (stage) => profileOnce(stage, profiled) };
}

function profileOnce(stage: Stage, profiled: Profiled): Promise<RowResult> {
  const set = process.env[SET_VARIABLE];
  const adminUrl = process.env['DATABASE_URL'];
  if (set === undefined || adminUrl === undefined) throw new Error('only private servers can be profiled');
  return countingStatements(set, adminUrl, () => {
    refreshServers(stage);
    return takeTurn(stage, service('service', stage.build), (turn) => profileTurn(stage, turn, profiled));
  });
}

async function profileTurn(stage: Stage, turn: Turn, { tier, pace }: Profiled): Promise<RowResult> {
  const { place, program, drive, cpu } = turn;
  const jobs = jobsOf(stage, pace?.jobs);
  const type = `canary-${tier}`;
  const { DATABASE_URL } = place.variables;
  const redisUrl = place.variables[`REDIS_${upper(tier)}_URL`];
  await drive.burst(type, warmUpOf(jobs));
  await drive.verify();
  await Promise.all([resetStatements(DATABASE_URL), resetCommands(redisUrl)]);
  await program.ask({ ask: 'startProfile' }, z.null(), PROBE_LIMIT_MS);
  const before = cpu.read();
  const seconds = await timeOf(turn, type, jobs, pace);
  const used = cpu.since(before);
  const file = path.join(stage.folder, `${tier}${pace ? '-paced' : ''}.cpuprofile`);
  await program.ask({ ask: 'stopProfile', file }, z.null(), PROBE_LIMIT_MS);
  const [statements, commands] = [await readStatements(DATABASE_URL), await readCommands(redisUrl)];
  if (!pace) await drive.verify();
  const { byRoom, byPackage, byFunction } = summarise(
    cpuProfile.parse(JSON.parse(readFileSync(file, 'utf8'))),
    stage.build.folder,
  );
  const programMs = (used['program'] ?? 0) / jobs;
  const figures = { [JOBS_PER_SECOND]: jobs / seconds, ...cpuFigures(used, jobs, seconds) };
  return {
    jobs,
    measured: Object.entries(figures).map(([figure, value]) => ({ contestant: 'service', figure, values: [value] })),
    checks: [],
    notes: [
      sharesTable('program, by room and what it calls', byRoom, programMs),
      sharesTable('program, by whose code runs', byPackage, programMs),
      sharesTable('program, by function', byFunction.slice(0, MOST_FUNCTIONS), programMs),
      alignedTable(
        ['PostgreSQL, by statement', 'µs/job', 'calls/job', 'rows/call'],
        statements.map(({ text, ms, calls, rows }) => [
          text,
          microseconds(ms, jobs),
          rounded(calls / jobs),
          rounded(rows / calls),
        ]),
      ),
      alignedTable(
        ['Redis, by command', 'µs/job', 'calls/job'],
        commands.map(({ command, ms, calls }) => [command, microseconds(ms, jobs), rounded(calls / jobs)]),
      ),
      `The whole profile is ${path.relative(process.cwd(), file)}; Chrome's DevTools show it.`,
    ],
  };
}

async function timeOf({ drive }: Turn, type: string, jobs: number, pace: Profiled['pace']): Promise<number> {
  if (!pace) return (await drive.burst(type, jobs)).seconds;
  await drive.pace(type, jobs, pace.perSecond);
  return jobs / pace.perSecond;
}

function upper<Name extends string>(name: Name): Uppercase<Name> {
  // The library's type of it tells only that it is some string.
  return name.toUpperCase() as Uppercase<Name>;
}

/** Shares of what the process used: the profiler's own clock also runs while the process waits for a core. */
function sharesTable(title: string, shares: Shares, msPerJob: number): string {
  return alignedTable(
    [title, 'µs/job', '%'],
    shares
      .filter(([, share]) => share > LEAST_SHARE)
      .map(([name, share]) => [name, rounded(share * msPerJob * 1_000), rounded(100 * share)]),
  );
}

function microseconds(ms: number, jobs: number): string {
  return rounded((ms * 1_000) / jobs);
}
