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
import { cpuFigures, JOBS_PER_SECOND, jobsOf, warmUpOf } from './end-to-end';
import type { Row, RowResult } from './row';

const TYPE = 'canary-money';
const PROBE_LIMIT_MS = 60_000;
const MOST_FUNCTIONS = 40;
const LEAST_SHARE = 0.002;

/** One run, since profiling itself takes time: shares count here, not speed. */
export const profile: Row = {
  name: 'profile',
  about: 'where the time of a money job goes',
  measure: async (stage) => {
    const set = process.env[SET_VARIABLE];
    const adminUrl = process.env['DATABASE_URL'];
    if (set === undefined || adminUrl === undefined) throw new Error('only private servers can be profiled');
    return countingStatements(set, adminUrl, () => {
      refreshServers(stage);
      return takeTurn(stage, service('service', stage.build), (turn) => profileTurn(stage, turn));
    });
  },
};

async function profileTurn(stage: Stage, { place, program, drive, cpu }: Turn): Promise<RowResult> {
  const jobs = jobsOf(stage);
  const { DATABASE_URL, REDIS_MONEY_URL } = place.variables;
  await drive.burst(TYPE, warmUpOf(jobs));
  await drive.verify();
  await Promise.all([resetStatements(DATABASE_URL), resetCommands(REDIS_MONEY_URL)]);
  await program.ask({ ask: 'startProfile' }, z.null(), PROBE_LIMIT_MS);
  const before = cpu.read();
  const { seconds } = await drive.burst(TYPE, jobs);
  const used = cpu.since(before);
  const file = path.join(stage.folder, 'money.cpuprofile');
  await program.ask({ ask: 'stopProfile', file }, z.null(), PROBE_LIMIT_MS);
  const [statements, commands] = [await readStatements(DATABASE_URL), await readCommands(REDIS_MONEY_URL)];
  await drive.verify();
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
