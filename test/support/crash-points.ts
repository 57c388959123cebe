import { createHash } from 'node:crypto';
import type { Role } from '../../src/config';
import type { StepName } from '../../src/composition/foundation';
import type { LowerTier, Tier } from '../../src/contract/names';

/** Where a process ends itself by SIGKILL: around the `call`-th call of a step. */
export interface Kill {
  step: StepName;
  when: 'before' | 'after';
  call: number;
}

/** One way to get to a step of the critical path, and the kills on the way. */
export interface CrashPoint extends Omit<Kill, 'when'> {
  /** Kills of one process each that come before, without which the step is not reached. */
  first?: Kill[];
  /** The roles of the processes that reach it; all by default. */
  roles?: Role[];
  /** How many jobs Redis may hold; without it there is room for all. */
  window?: number;
  /** A step that rejects at its first call, as when its server refuses. */
  refused?: StepName;
  /** Publish more before each of the first kills. */
  busy?: boolean;
  /** What an operator asks of a process, which reaches the step by it. */
  asks?: 'cancel' | 'replay';
}

const started: Kill = { step: 'start', when: 'after', call: 1 };
const charged: Kill = { step: 'call provider', when: 'after', call: 1 };
const claimed: Kill = { step: 'enqueue', when: 'before', call: 1 };

/** In the order in which a job travels. */
const CRASH_POINTS: CrashPoint[] = [
  { step: 'keep lease', call: 3 },
  { step: 'count start', call: 1 },
  { step: 'claim', call: 1 },
  { step: 'enqueue', call: 1 },
  { step: 'mark not queued', call: 1, refused: 'enqueue' },
  { step: 'answer contested', call: 1 },
  { step: 'reject', call: 1 },
  { step: 'ack', call: 3 },
  { step: 'forget starts', call: 1 },
  { step: 'run job', call: 2 },
  { step: 'ask limiter', call: 2 },
  { step: 'start', call: 1 },
  { step: 'start suspect', call: 1, first: [charged] },
  { step: 'read ledger', call: 1, first: [charged] },
  { step: 'begin effect', call: 1 },
  { step: 'call provider', call: 2 },
  { step: 'settle', call: 1 },
  { step: 'append outcome', call: 1 },
  { step: 'hand over next', call: 1 },
  { step: 'read outbox', call: 2 },
  { step: 'publish', call: 1 },
  { step: 'mark published', call: 1 },
  { step: 'leave marker', call: 1 },
  { step: 'remember marker', call: 1 },
  { step: 'hand over again', call: 1, first: [claimed], roles: ['worker', 'relay', 'scheduler'] },
  { step: 'take waiting', call: 1, window: 4 },
  { step: 'feed', call: 1, window: 4 },
  { step: 'cancel', call: 1, asks: 'cancel' },
  { step: 'replay', call: 1, asks: 'replay' },
];

/** The same for jobs whose record is in the Redis of their tier. */
const LOWER_POINTS: CrashPoint[] = [
  { step: 'count start', call: 1 },
  { step: 'claim', call: 1 },
  { step: 'confirm', call: 1 },
  { step: 'enqueue', call: 1 },
  { step: 'prolong', call: 1 },
  { step: 'note accepted', call: 1 },
  { step: 'answer contested', call: 1 },
  { step: 'reject', call: 1 },
  { step: 'ack', call: 3 },
  { step: 'forget starts', call: 1 },
  { step: 'run job', call: 2 },
  { step: 'ask limiter', call: 2 },
  { step: 'start', call: 1 },
  { step: 'start suspect', call: 1, first: [started] },
  { step: 'read ledger', call: 1, first: [started] },
  { step: 'settle', call: 1 },
  { step: 'append outcome', call: 1 },
  { step: 'forget finished', call: 1 },
  { step: 'publish', call: 1 },
  { step: 'mark published', call: 1 },
];
const POINTS: Record<Tier, CrashPoint[]> = {
  money: CRASH_POINTS,
  communication: [...LOWER_POINTS, { step: 'begin effect', call: 1 }, { step: 'call provider', call: 2 }],
  background: LOWER_POINTS,
};

/** Deaths that follow each other, where the second one meets what the first one left. */
const REPEATED: Kill[][] = [
  [claimed, { step: 'claim', when: 'after', call: 1 }, { step: 'ack', when: 'after', call: 1 }],
  [{ step: 'begin effect', when: 'after', call: 1 }, charged, { step: 'settle', when: 'before', call: 1 }],
  [charged, { step: 'start suspect', when: 'after', call: 1 }, charged],
  [charged, { step: 'settle', when: 'after', call: 1 }, { step: 'publish', when: 'after', call: 1 }],
  [
    { step: 'settle', when: 'after', call: 1 },
    { step: 'mark published', when: 'before', call: 1 },
    { step: 'mark published', when: 'before', call: 1 },
  ],
];

const REPEATED_LOWER: Kill[][] = [
  [claimed, { step: 'prolong', when: 'before', call: 1 }],
  [claimed, { step: 'claim', when: 'after', call: 1 }],
  [started, { step: 'start suspect', when: 'after', call: 1 }, { step: 'forget finished', when: 'before', call: 1 }],
  [
    { step: 'settle', when: 'after', call: 1 },
    { step: 'forget finished', when: 'before', call: 1 },
    { step: 'mark published', when: 'before', call: 1 },
  ],
];

/** Steps that new work always leads to. */
const ON_THE_WAY: StepName[] = [
  'keep lease',
  'claim',
  'enqueue',
  'answer contested',
  'reject',
  'ack',
  'read outbox',
  'publish',
  'mark published',
  'leave marker',
  'remember marker',
];
/** Whoever dies here leaves suspects. */
const WITH_SUSPECTS: StepName[] = ['start', 'begin effect', 'call provider', 'settle', 'append outcome'];
const RANDOM_ROWS = 12;
/** One that makes suspects, and not more than a suspect may meet with before it is taken to be poison. */
const RANDOM_KILLS = 3;

export interface CrashRow {
  name: string;
  tier: Tier;
  point: CrashPoint;
  when: Kill['when'];
  replicas: 1 | 2;
}

export function allRows(): CrashRow[] {
  return [
    ...singleRows('money'),
    ...REPEATED.flatMap((kills) => repeatedRow('money', kills, 1)),
    ...randomRows(),
    ...(['communication', 'background'] satisfies LowerTier[]).flatMap((tier) => [
      ...singleRows(tier),
      ...REPEATED_LOWER.flatMap((kills) => ([1, 2] as const).flatMap((replicas) => repeatedRow(tier, kills, replicas))),
    ]),
  ];
}

function singleRows(tier: Tier): CrashRow[] {
  return POINTS[tier].flatMap((point) =>
    ([1, 2] as const).flatMap((replicas) =>
      (['before', 'after'] as const).map((when) => ({
        name: nameOf(tier, [{ ...point, when }], replicas),
        tier,
        point,
        when,
        replicas,
      })),
    ),
  );
}

/** The same at every run: the digest of a place's number decides what stands there. */
function randomRows(): CrashRow[] {
  const rows = Array.from({ length: RANDOM_ROWS }, (_, row) =>
    Array.from({ length: RANDOM_KILLS }, (__, index): Kill => {
      const [first = 0, second = 0] = createHash('sha256').update(`${row} ${index}`).digest();
      const steps = index % 2 === 0 ? WITH_SUSPECTS : ON_THE_WAY;
      return { step: steps[first % steps.length] ?? 'claim', when: second % 2 === 0 ? 'before' : 'after', call: 1 };
    }),
  );
  return rows.flatMap((kills) => repeatedRow('money', kills, 2, true));
}

/** For every run of the tests: one for each room that a job passes. */
export function shortRows(): CrashRow[] {
  const wanted = new Set([
    'money: after claim, 1 replica',
    'money: after call provider, 2 replicas',
    'money: before publish, 1 replica',
    'communication: after call provider, 1 replica',
    'background: after settle, 2 replicas',
  ]);
  return allRows().filter(({ name }) => wanted.has(name));
}

function repeatedRow(tier: Tier, kills: Kill[], replicas: 1 | 2, busy = false): CrashRow[] {
  const last = kills.at(-1);
  if (!last) return [];
  const { when, ...point } = last;
  return [
    { name: nameOf(tier, kills, replicas), tier, point: { ...point, first: kills.slice(0, -1), busy }, when, replicas },
  ];
}

function nameOf(tier: Tier, kills: Kill[], replicas: number): string {
  const points = kills.map(({ when, step }) => `${when} ${step}`).join(', then ');
  return `${tier}: ${points}, ${replicas} replica${replicas > 1 ? 's' : ''}`;
}
