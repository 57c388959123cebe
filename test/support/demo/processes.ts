import { readdirSync, readFileSync } from 'node:fs';
import { identityOf, isAlive, isOurs } from '../../../tools/services/processes';

/**
 * Every process that was started by this one, by those that it started, or that works in this folder (what has become a
 * daemon has no parent that would tell), each by its pid and start time.
 */
export function startedBy(root: number | undefined, folder: string): Set<string> {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isBelow(parents.get(pid)));
  const found = [...parents.keys()].filter((pid) => isBelow(pid) || isOurs(pid, [folder]));
  return new Set(found.map(identityOf));
}

export function stillAlive(identities: Iterable<string>): string[] {
  return [...identities].filter((identity) => {
    const pid = Number(identity.split(' ')[0]);
    return isAlive(pid) && identityOf(pid) === identity;
  });
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // Ended in between.
    return undefined;
  }
}
