import { parseArgs } from 'node:util';
import { z } from 'zod';
import { isLimiterName, LIMITER_NAMES, type Limit, type LimiterName } from '../catalogue/limiters';
import { EVERY_LIMITER, type Change, type LimiterOrEvery } from './overrides';

export const USAGE = `Looks at the limits of providers' accounts, and changes them for all processes within a second.

  limits                                         what they are now
  limits stop <name>|all --by … --reason …       nothing passes any more; what is under way may end
  limits resume <name>|all --by … --reason …     takes that back
  limits set <name> [--per-second <n>] [--concurrent <n>] [--burst <n>] [--cooldown <ms>] --by … --reason …
                                                 holds instead of the catalogue's; what is left out is as configured again
  limits reset <name>                            a full bucket, no cooldown, a closed circuit

  --by <who>, --reason <why>    kept with the change

Names: ${LIMITER_NAMES.join(', ')}.
The environment is that of the service. Ends with 0 when it did as told, 64 when it was called wrongly, 78 when the
environment is wrong, 1 when it failed.
`;

/** What the command is asked for. */
export type Asked =
  | { kind: 'help' }
  | { kind: 'show' }
  | { kind: 'stop' | 'resume'; name: LimiterOrEvery; change: Change }
  | { kind: 'set'; name: LimiterName; limit: Partial<Limit>; change: Change }
  | { kind: 'reset'; name: LimiterName }
  | { kind: 'wrong'; problem: string };

const OPTIONS = {
  'per-second': { type: 'string' },
  concurrent: { type: 'string' },
  burst: { type: 'string' },
  cooldown: { type: 'string' },
  by: { type: 'string' },
  reason: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const signature = z.object({ by: z.string().min(1).max(200), reason: z.string().min(1).max(2_000) });
const whole = z.coerce.number().int().positive().max(1_000_000).exactOptional();
const limits = z.object({
  perSecond: z.coerce.number().positive().max(1_000_000).exactOptional(),
  concurrent: whole,
  burst: whole,
  cooldownMs: z.coerce.number().int().nonnegative().max(3_600_000).exactOptional(),
});

class WrongCall extends Error {}

export function readArguments(args: string[]): Asked {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    return values.help ? { kind: 'help' } : read(values, positionals);
  } catch (error) {
    return { kind: 'wrong', problem: error instanceof Error ? error.message : String(error) };
  }
}

type Given = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function read(given: Given, [what, name, ...more]: string[]): Asked {
  if (what === undefined) return { kind: 'show' };
  if (more.length > 0) throw new WrongCall('one limiter at a time');
  switch (what) {
    case 'stop':
    case 'resume':
      return { kind: what, name: name === 'all' ? EVERY_LIMITER : readName(name), change: readChange(given) };
    case 'set':
      return { kind: 'set', name: readName(name), limit: readLimit(given), change: readChange(given) };
    case 'reset':
      return { kind: 'reset', name: readName(name) };
    default:
      throw new WrongCall(`there is no ${what}`);
  }
}

function readName(name = ''): LimiterName {
  if (isLimiterName(name)) return name;
  throw new WrongCall(`name a limiter: ${LIMITER_NAMES.join(', ')}`);
}

function readChange({ by, reason }: Given): Change {
  const signed = signature.safeParse({ by, reason });
  if (!signed.success) throw new WrongCall('say who changes it by --by, and why by --reason');
  return signed.data;
}

function readLimit(given: Given): Partial<Limit> {
  const named = { perSecond: given['per-second'], concurrent: given.concurrent, burst: given.burst };
  const told = Object.entries({ ...named, cooldownMs: given.cooldown }).filter(([, value]) => value !== undefined);
  const read = limits.safeParse(Object.fromEntries(told));
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new WrongCall(wrong.join('; '));
}
