import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from './binaries';
import { serverDirectory } from './layout';
import { readState, updateState } from './state';

export interface ServerUser {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root: then it runs as the packages' own user, or as nobody. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody on this machine');
}

export const postgresPlace = (set: string): string =>
  readState(set).postgresDirectory ?? serverDirectory(set, 'postgres');

/** The folder that holds PostgreSQL's data, made accessible for the user it will run as. */
export function preparePostgresPlace(set: string, user: ServerUser | undefined): string {
  const usual = postgresPlace(set);
  prepare(usual, user);
  if (user === undefined || canEnter(usual, user)) return usual;
  // A checkout below a private folder (such as /root) is closed to any other user.
  rmSync(usual, { recursive: true, force: true });
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
    const elsewhere = mkdtempSync(path.join(parent, `queue-service-${set}-`));
    prepare(elsewhere, user);
    if (canEnter(elsewhere, user)) {
      updateState(set, (state) => {
        state.postgresDirectory = elsewhere;
      });
      return elsewhere;
    }
    rmSync(elsewhere, { recursive: true });
  }
  throw new Error(
    `no folder for PostgreSQL that the user ${user.uid} may enter: tried ${usual}, ${tmpdir()} and others`,
  );
}

function prepare(directory: string, user: ServerUser | undefined): void {
  mkdirSync(directory, { recursive: true });
  if (user) chownSync(directory, user.uid, user.gid);
  chmodSync(directory, 0o700);
}

/** Tried for real, as that user: permission bits of the parents would not tell the whole story. */
function canEnter(directory: string, user: ServerUser): boolean {
  try {
    const shell = findProgram('sh') ?? '/bin/sh';
    const options = { ...user, cwd: '/', timeout: 10_000, stdio: 'ignore' } as const;
    execFileSync(shell, ['-c', 'cd "$1"', 'sh', directory], options);
    return true;
  } catch {
    return false;
  }
}
