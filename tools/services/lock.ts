import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from './error-code';
import { identityOf, isAlive } from './processes';
import { waitFor } from './wait';

/** Longer than a first start with the installation of all servers takes. */
const WAIT_LIMIT_MS = 300_000;
const STEAL_LIMIT_MS = 10_000;

/** One holder at a time, across processes. A lock whose holder died is taken over. */
export async function withLock<Value>(file: string, work: () => Promise<Value>): Promise<Value> {
  mkdirSync(path.dirname(file), { recursive: true });
  await waitFor(`the lock ${file}`, WAIT_LIMIT_MS, () => create(file) || (isStale(file) && takeOver(file)), 25);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function create(file: string): boolean {
  try {
    writeFileSync(file, identityOf(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function isStale(file: string): boolean {
  let holder: string;
  try {
    holder = readFileSync(file, 'utf8');
  } catch {
    return false;
  }
  // Empty between its creation and its first byte.
  if (holder === '') return olderThan(file, STEAL_LIMIT_MS);
  const pid = Number.parseInt(holder, 10);
  return !isAlive(pid) || identityOf(pid) !== holder;
}

/** A second lock guards the removal, or two waiters could remove each other's fresh lock. */
function takeOver(file: string): boolean {
  const guard = `${file}.takeover`;
  if (!create(guard)) {
    if (olderThan(guard, STEAL_LIMIT_MS)) rmSync(guard, { force: true });
    return false;
  }
  try {
    if (isStale(file)) rmSync(file, { force: true });
    return create(file);
  } finally {
    rmSync(guard, { force: true });
  }
}

function olderThan(file: string, ms: number): boolean {
  try {
    return Date.now() - statSync(file).mtimeMs > ms;
  } catch {
    return false;
  }
}
