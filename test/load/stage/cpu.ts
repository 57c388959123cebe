import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** Milliseconds of CPU by the name of a server or program. */
export type CpuMs = Record<string, number>;

/** Under this name stands what all processes of the machine have used together. */
export const MACHINE = 'machine';

/** Linux counts the time of processes in hundredths of a second wherever it is seen from outside (`USER_HZ`). */
const MS_PER_TICK = 10;

/** The fields of /proc/<pid>/stat that are used here, counted from the one behind the program's name. */
const statFields = z.array(z.string()).min(15);
const [PARENT, USER_TIME, SYSTEM_TIME, ENDED_USER_TIME, ENDED_SYSTEM_TIME] = [1, 11, 12, 13, 14] as const;

interface ProcessTime {
  parent: number;
  /** Its own and that of its children that have ended. */
  ms: number;
}

/** Reads what processes and all their children have used of the CPU so far. */
export class CpuMeter {
  constructor(private readonly pids: Record<string, readonly number[]>) {}

  read(): CpuMs {
    const times = readAll();
    const children = new Map<number, number[]>();
    for (const [pid, { parent }] of times) children.set(parent, [...(children.get(parent) ?? []), pid]);
    const ofTree = (pid: number): number =>
      (children.get(pid) ?? []).reduce((sum, child) => sum + ofTree(child), times.get(pid)?.ms ?? 0);
    const used = Object.entries(this.pids).map(([name, pids]): [string, number] => [
      name,
      pids.reduce((sum, pid) => sum + ofTree(pid), 0),
    ]);
    return { ...Object.fromEntries(used), [MACHINE]: readMachine() };
  }

  since(before: CpuMs): CpuMs {
    return Object.fromEntries(Object.entries(this.read()).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));
  }
}

function readAll(): Map<number, ProcessTime> {
  const times = new Map<number, ProcessTime>();
  for (const entry of readdirSync('/proc')) {
    const time = /^\d+$/.test(entry) ? readOne(entry) : undefined;
    if (time) times.set(Number(entry), time);
  }
  return times;
}

/** All but idling and waiting for disks. */
function readMachine(): number {
  const [, ticks = ''] = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? [];
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = ticks.split(' ').map(Number);
  return (user + nice + system + interrupts + softInterrupts) * MS_PER_TICK;
}

/** Undefined for one that has just ended. */
function readOne(pid: string): ProcessTime | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The program's name stands in brackets, and may itself hold blanks and brackets.
  const fields = statFields.parse(stat.slice(stat.lastIndexOf(')') + 2).split(' '));
  const ticks = [USER_TIME, SYSTEM_TIME, ENDED_USER_TIME, ENDED_SYSTEM_TIME].map((index) => Number(fields[index]));
  return { parent: Number(fields[PARENT]), ms: ticks.reduce((sum, count) => sum + count, 0) * MS_PER_TICK };
}
