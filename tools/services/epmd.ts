import { logFile } from './layout';
import { portsOf } from './ports';
import { accepts } from './probes';
import { endProcess, isOurs, spawnDaemon } from './processes';
import { readState, updateState } from './state';
import { waitFor } from './wait';

const START_LIMIT_MS = 15_000;

/**
 * Erlang's port mapper. A node would start one by itself, as a daemon whose pid nobody knows and which outlives the
 * node; so it is started before, as a process of ours. It survives a restart of the node.
 */
export async function ensurePortMapper(
  set: string,
  epmd: string,
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const port = portsOf(set).epmd;
  if (portMapperPid(set) === undefined) {
    const daemon = spawnDaemon(epmd, ['-port', String(port)], { cwd: directory, env, logFile: logFile(set, 'epmd') });
    updateState(set, (state) => {
      state.pids.epmd = daemon.pid;
    });
    await waitFor('epmd', START_LIMIT_MS, () => {
      if (daemon.ended() !== undefined)
        throw new Error(`epmd did not start: ${daemon.ended()}, see ${logFile(set, 'epmd')}`);
      return accepts(port);
    });
  }
}

export async function stopPortMapper(set: string): Promise<void> {
  const pid = portMapperPid(set);
  if (pid !== undefined) await endProcess(pid, 'SIGTERM', `epmd of the set ${set}`);
  updateState(set, (state) => {
    delete state.pids.epmd;
  });
}

export function portMapperPid(set: string): number | undefined {
  const { pids, ports } = readState(set);
  return pids.epmd !== undefined && isOurs(pids.epmd, [`-port ${ports.epmd}`]) ? pids.epmd : undefined;
}
