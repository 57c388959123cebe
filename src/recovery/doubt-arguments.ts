import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseJson } from '../platform/parse-json';
import type { Decision } from './doubt-verdict';

export const USAGE = `Settles a money job in doubt by the word of a person who looked it up at the provider.

  settle <jobId>                                         what is known of it; nothing is changed
  settle <jobId> --happened <reference> --by … --reason …      it happened: the job goes on from there
  settle <jobId> --not-happened --retry --by … --reason …      it did not, and is tried again
  settle <jobId> --not-happened --fail --by … --reason …       it did not, and the job ends as failed
  settle <jobId> --retry | --fail --by … --reason …            for a job of which no effect is uncertain

  --happened also tells what a job has to know of an effect that happened for certain, where the job
  cannot read what is recorded of it.

  --value <json>    what the job has to know of what happened, beside the reference; without a decision
                    the command tells what that is
  --effect <name>   which effect is meant, where more than one may be
  --by <who>        who decides; kept with the decision
  --reason <why>    how it was found out; kept with the decision
  --help

The environment is that of the service. Ends with 0 when it did as told, 2 when it refused and changed nothing,
64 when it was called wrongly, 78 when the environment is wrong, 1 when it failed.
`;

/** What the command is asked for. */
export type Asked =
  | { kind: 'help' }
  | { kind: 'show'; jobId: string }
  | { kind: 'settle'; jobId: string; decision: Decision }
  | { kind: 'wrong'; problem: string };

const OPTIONS = {
  happened: { type: 'string' },
  'not-happened': { type: 'boolean' },
  retry: { type: 'boolean' },
  fail: { type: 'boolean' },
  value: { type: 'string' },
  effect: { type: 'string' },
  by: { type: 'string' },
  reason: { type: 'string' },
  help: { type: 'boolean' },
} as const;

type Given = ReturnType<typeof parse>['values'];

class WrongCall extends Error {}

export function readArguments(args: string[]): Asked {
  try {
    const { values, positionals } = parse(args);
    return values.help ? { kind: 'help' } : read(values, positionals);
  } catch (error) {
    return { kind: 'wrong', problem: error instanceof WrongCall ? error.message : String(error) };
  }
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true });
}

function read(given: Given, positionals: string[]): Asked {
  const jobId = z.uuid().safeParse(positionals[0]);
  if (!jobId.success || positionals.length > 1) throw new WrongCall('name one job by its id');
  if (Object.keys(given).length === 0) return { kind: 'show', jobId: jobId.data };
  return { kind: 'settle', jobId: jobId.data, decision: readDecision(given) };
}

function readDecision(given: Given): Decision {
  const signed = { by: text(given.by, '--by', 200), reason: text(given.reason, '--reason', 2_000) };
  const { happened, value, effect } = given;
  if (happened === undefined && value !== undefined) throw new WrongCall('--value belongs to --happened');
  if (happened !== undefined) {
    if (given['not-happened'] || given.retry || given.fail) throw new WrongCall('--happened decides everything');
    const reference = text(happened, '--happened', 255);
    return { ...signed, said: 'happened', effect, reference, value: readValue(value) };
  }
  if (given.retry === given.fail) throw new WrongCall('say --happened, or what is next: either --retry or --fail');
  const next = given.retry ? 'retry' : 'fail';
  if (given['not-happened']) return { ...signed, said: 'notHappened', effect, next };
  if (effect !== undefined) throw new WrongCall('--effect belongs to --happened or --not-happened');
  return { ...signed, said: 'nothing', next };
}

function text(given: string | undefined, name: string, longest: number): string {
  const trimmed = given?.trim() ?? '';
  if (trimmed === '' || trimmed.length > longest)
    throw new WrongCall(`${name} must be given, in ${longest} characters`);
  return trimmed;
}

function readValue(given: string | undefined): Record<string, unknown> {
  if (given === undefined) return {};
  const json = parseJson(Buffer.from(given));
  const value = z.record(z.string(), z.unknown()).safeParse('value' in json ? json.value : undefined);
  if (!value.success) throw new WrongCall('--value must be an object in JSON');
  return value.data;
}
