import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from './error-code';
import { waitFor } from './wait';

const HAS_PROC = existsSync('/proc/self/stat');

/** The fields of /proc/<pid>/stat from the state on; the name before them may itself hold blanks and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** A zombie counts as dead: a slow init process may leave a killed daemon in that state for seconds. */
export function isAlive(pid: number): boolean {
  if (HAS_PROC) {
    const state = statFields(pid)?.[0];
    return state !== undefined && state !== 'Z' && state !== 'X';
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Pid and start time: a pid alone may by now be somebody else's. */
export function identityOf(pid: number): string {
  return `${pid} ${statFields(pid)?.[19] ?? ''}`.trim();
}

/**
 * Whether the recorded pid is still that of our server: its command line mentions one of the marks, or it works inside
 * one of them. (Redis rewrites its command line, hence the working folder. `ps` serves systems without /proc.)
 */
export function isOurs(pid: number, marks: readonly string[]): boolean {
  if (!isAlive(pid)) return false;
  const text = HAS_PROC ? procText(pid) : psText(pid);
  return marks.some((mark) => text.includes(mark));
}

function procText(pid: number): string {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    // Not readable for a process of another user; its command line must do then.
    text += readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Ended in between, or no permission: what was read so far decides.
  }
  return text;
}

function psText(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  } catch {
    return '';
  }
}

export interface Daemon {
  pid: number;
  /** How it ended, if it has. */
  ended(): string | undefined;
}

export interface DaemonOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
  user?: { uid: number; gid: number } | undefined;
}

/** A process of its own session: neither our end nor a Ctrl-C in our terminal reaches it. */
export function spawnDaemon(command: string, args: readonly string[], options: DaemonOptions): Daemon {
  const log = openSync(options.logFile, 'a');
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: options.cwd,
      env: options.env,
      ...options.user,
    });
    let ended: string | undefined;
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, signal) => {
      ended = signal ? `ended by ${signal}` : `exit code ${String(code)}`;
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`cannot run ${command}`);
    return { pid: child.pid, ended: () => ended };
  } finally {
    closeSync(log);
  }
}

const STOP_LIMIT_MS = 30_000;
const KILL_LIMIT_MS = 10_000;

/** Ends a process that is known to be ours, with force when it does not heed the orderly signal in time. */
export async function endProcess(pid: number, signal: NodeJS.Signals, what: string): Promise<void> {
  const gone = (): boolean => !isAlive(pid);
  const send = (name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (!gone()) throw error;
    }
  };
  send(signal);
  try {
    await waitFor(`end of ${what}`, signal === 'SIGKILL' ? KILL_LIMIT_MS : STOP_LIMIT_MS, gone, 20);
  } catch (error) {
    if (signal === 'SIGKILL') throw error;
    send('SIGKILL');
    await waitFor(`end of ${what} after SIGKILL`, KILL_LIMIT_MS, gone, 20);
  }
}
