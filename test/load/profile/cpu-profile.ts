import path from 'node:path';
import { z } from 'zod';

/** What V8's sampling profiler writes (`Profiler.Profile` of the inspector's protocol). */
export const cpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  samples: z.array(z.int()),
  /** Microseconds between the samples. */
  timeDeltas: z.array(z.number()),
});
type CpuProfile = z.infer<typeof cpuProfile>;

/** Shares of the time in which the process worked, by name, most first. They add up to 1. */
export type Shares = [name: string, share: number][];

export interface ProfileSummary {
  /** By the innermost code of the service, whatever it called; what runs without any stands under its package. */
  byRoom: Shares;
  /** By whose code ran; what Node's own C++ does counts for whoever called it. */
  byPackage: Shares;
  byFunction: Shares;
}

/** Where a profile finds the service's own code. */
const OWN = 'dist/';
/** The profiler itself at its start and its end. */
const PROFILER = 'node:inspector';
const IDLE = '(idle)';

/** @param build the folder whose `dist` holds the service's code */
export function summarise({ nodes, samples, timeDeltas }: CpuProfile, build: string): ProfileSummary {
  const stacks = stacksOf(nodes, build);
  const [byRoom, byPackage, byFunction] = [new Tally(), new Tally(), new Tally()];
  samples.forEach((id, index) => {
    const stack = stacks.get(id);
    const [frame] = stack ?? [];
    if (!stack || !frame || frame.name === IDLE || stack.some(({ file }) => file.startsWith(PROFILER))) return;
    const time = timeDeltas[index] ?? 0;
    byRoom.add(
      ownerOf(stack.find(({ file }) => file.startsWith(OWN)) ?? stack.find(isPackage) ?? callerOf(stack)),
      time,
    );
    byPackage.add(ownerOf(callerOf(stack)), time);
    byFunction.add(`${frame.name} ${placeOf(frame)}`.trimEnd(), time);
  });
  return { byRoom: byRoom.shares(), byPackage: byPackage.shares(), byFunction: byFunction.shares() };
}

interface Frame {
  name: string;
  /** Empty for C++. */
  file: string;
  line: number;
}

/** From the innermost frame outwards, by the id of the innermost. */
function stacksOf(nodes: CpuProfile['nodes'], build: string): Map<number, Frame[]> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, toFrame(callFrame, build)]));
  const stackOf = (id: number): Frame[] => {
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at);
      if (frame) stack.push(frame);
    }
    return stack;
  };
  return new Map(nodes.map(({ id }) => [id, stackOf(id)]));
}

function toFrame({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], build: string): Frame {
  return {
    name: functionName || '(anonymous)',
    file: url.replace(/^file:\/\//, '').replace(`${build}/`, ''),
    line: lineNumber + 1,
  };
}

class Tally {
  private readonly sums = new Map<string, number>();
  private all = 0;

  add(name: string, amount: number): void {
    this.sums.set(name, (this.sums.get(name) ?? 0) + amount);
    this.all += amount;
  }

  shares(): Shares {
    return [...this.sums]
      .map(([name, sum]): [string, number] => [name, sum / this.all])
      .toSorted(([, one], [, other]) => other - one);
  }
}

function isPackage({ file }: Frame): boolean {
  return file.includes('node_modules/');
}

/** C++ works for the innermost JavaScript; the garbage collector and the like for nobody. */
function callerOf(stack: Frame[]): Frame | undefined {
  return stack.find(({ file }) => file !== '') ?? stack[0];
}

/** A room, a package, Node itself, or one of V8's own names. */
function ownerOf(frame: Frame | undefined): string {
  if (!frame) return '(unknown)';
  const { file, name } = frame;
  if (file.startsWith(OWN)) return path.dirname(file);
  if (file.startsWith('node:')) return 'node';
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? (file === '' ? name : file);
}

function placeOf({ file, line }: Frame): string {
  return file === '' ? '' : `${file.replace(/^.*node_modules\//, '')}:${line}`;
}
