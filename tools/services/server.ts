import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries';
import { logFile, setDirectory } from './layout';
import { portsOf } from './ports';
import { accepts } from './probes';
import { type Daemon, endProcess, isOurs } from './processes';
import { readState, updateState } from './state';
import type { PortName, ServerName, StopOptions } from './types';
import { waitFor } from './wait';

/** What differs between the servers; all the rest is below, once. */
export interface ServerDefinition {
  name: ServerName;
  /** The first is the one that clients connect to. */
  ports: readonly [PortName, ...PortName[]];
  /** Asks for an orderly stop. */
  stopSignal: NodeJS.Signals;
  startLimitMs: number;
  /** Texts that only our own process has in its command line or as its working folder. */
  marks(set: string): string[];
  launch(set: string, binaries: Binaries): Promise<Daemon>;
  /** A real answer of the server, not just an open port. */
  answers(set: string): Promise<boolean>;
  /** Output after which the same start may succeed a moment later. */
  passing?: RegExp;
}

export function runningPid(definition: ServerDefinition, set: string): number | undefined {
  const pid = readState(set).pids[definition.name];
  return pid !== undefined && isOurs(pid, definition.marks(set)) ? pid : undefined;
}

/** Resolves when the server answers: true if it was started here, false if it was up. The set's lock is held. */
export async function startServer(definition: ServerDefinition, set: string, binaries: Binaries): Promise<boolean> {
  const running = runningPid(definition, set);
  if (running !== undefined) {
    await adopt(definition, set);
    return false;
  }
  mkdirSync(setDirectory(set), { recursive: true });
  const deadline = performance.now() + definition.startLimitMs;
  for (;;) {
    const printedBefore = logSize(definition, set);
    const daemon = await definition.launch(set, binaries);
    updateState(set, (state) => {
      state.pids[definition.name] = daemon.pid;
      state.ready = state.ready.filter((name) => name !== definition.name);
    });
    const problem = await untilAnswering(definition, set, daemon, deadline);
    if (problem === undefined) return markReady(definition, set);
    const output = logTail(definition, set, printedBefore);
    if (!definition.passing?.test(output) || performance.now() > deadline) {
      throw new Error(`${definition.name} of the set ${set} did not start: ${problem}\n${output}\n${advice(set)}`);
    }
    await sleep(250);
  }
}

/** Found running. Its starter may have been killed before it answered, so unless known to be ready it is waited for. */
async function adopt(definition: ServerDefinition, set: string): Promise<void> {
  const port = portsOf(set)[definition.ports[0]];
  if (readState(set).ready.includes(definition.name) && (await accepts(port))) return;
  await waitFor(`${definition.name} of the set ${set}, which was found running`, definition.startLimitMs, () =>
    definition.answers(set),
  );
  markReady(definition, set);
}

function markReady(definition: ServerDefinition, set: string): true {
  updateState(set, (state) => {
    state.ready = [...new Set([...state.ready, definition.name])];
  });
  return true;
}

/** What went wrong, or undefined. A server that ends during its start is noticed at once. */
async function untilAnswering(
  definition: ServerDefinition,
  set: string,
  daemon: Daemon,
  deadline: number,
): Promise<string | undefined> {
  try {
    await waitFor(definition.name, deadline - performance.now(), async () => {
      return daemon.ended() !== undefined || (await definition.answers(set));
    });
    return daemon.ended();
  } catch (error) {
    await endProcess(daemon.pid, 'SIGKILL', definition.name);
    return error instanceof Error ? error.message : String(error);
  }
}

/** Nothing happens when it is not running, or when the recorded pid is not ours any more. The set's lock is held. */
export async function stopServer(definition: ServerDefinition, set: string, options: StopOptions = {}): Promise<void> {
  const pid = runningPid(definition, set);
  if (pid !== undefined) {
    await endProcess(pid, options.signal ?? definition.stopSignal, `${definition.name} of the set ${set}`);
  }
  updateState(set, (state) => {
    delete state.pids[definition.name];
    state.ready = state.ready.filter((name) => name !== definition.name);
  });
}

function logSize(definition: ServerDefinition, set: string): number {
  return statSync(logFile(set, definition.name), { throwIfNoEntry: false })?.size ?? 0;
}

function logTail(definition: ServerDefinition, set: string, from: number): string {
  const file = logFile(set, definition.name);
  const printed = readFileSync(file).subarray(from).toString();
  return `--- end of ${file}\n${printed.slice(-3_000).trimEnd()}\n---`;
}

const advice = (set: string): string => `If its data are damaged: remove ${setDirectory(set)} and start again.`;
