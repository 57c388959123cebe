import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SET_VARIABLE } from '../../../tools/services/environment';
import { statusOf } from '../../../tools/services';
import { CHECKOUT, LOCAL } from '../../../tools/services/layout';
import type { Cleanup } from '../../../tools/stage/cleanup';
import type { Options } from '../options';
import { buildCheckout, buildCommit, commitOf, type Build } from './build';
import { Program, type ProgramOptions } from './program';

/** What all rows have in common. */
export interface Stage {
  options: Options;
  /** For logs and profiles. */
  folder: string;
  build: Build;
  /** The build of `--against`. */
  against: { name: string; build: Build } | undefined;
  commit: string;
  /** Pids of the private servers by the name that they have in tables; empty where the servers are somebody else's. */
  servers: Record<string, number[]>;
  signal: AbortSignal;
  /** Starts a process that is stopped at the end of the bench at the latest. */
  start: (options: ProgramOptions) => Program;
}

export async function openStage(options: Options, cleanup: Cleanup, signal: AbortSignal): Promise<Stage> {
  const folder = path.join(LOCAL, 'bench-run');
  rmSync(path.join(folder, 'logs'), { recursive: true, force: true });
  mkdirSync(path.join(folder, 'logs'), { recursive: true });
  const build = await buildCheckout();
  cleanup.add('the build', build.remove);
  const against = options.against === undefined ? undefined : await buildOther(options.against, folder);
  if (against) cleanup.add('the older build', against.build.remove);
  const programs = new Set<Program>();
  cleanup.add('the programs', () => Promise.all([...programs].map((program) => program.stop())));
  // Whoever waits for an answer of theirs then waits no longer.
  signal.addEventListener('abort', () => [...programs].forEach((program) => void program.stop()), { once: true });
  return {
    options,
    folder,
    build,
    against,
    commit: commitOf(CHECKOUT),
    servers: serverPids(),
    signal,
    start: (what) => {
      signal.throwIfAborted();
      const program = new Program(what);
      programs.add(program);
      return program;
    },
  };
}

async function buildOther(commit: string, folder: string): Promise<{ name: string; build: Build }> {
  const build = await buildCommit(commit, path.join(folder, 'against'));
  return { name: commitOf(build.folder), build };
}

/** After one of them was restarted. */
export function refreshServers(stage: Stage): void {
  stage.servers = serverPids();
}

function serverPids(): Stage['servers'] {
  const set = process.env[SET_VARIABLE];
  if (set === undefined) return {};
  const pids: Record<string, number[]> = { rabbitmq: [], postgres: [], redis: [] };
  for (const { name, pid } of statusOf(set)) {
    if (pid !== undefined) pids[name.startsWith('redis') ? 'redis' : name]?.push(pid);
  }
  return pids;
}
