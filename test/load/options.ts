import { parseArgs } from 'node:util';

/** What `npm run bench -- …` was asked for. */
export interface Options {
  /** Names of rows; the usual ones when there is no `--only`. */
  only: string[] | undefined;
  /** Jobs of one run; each row has its own number when there is no `--jobs`. */
  jobs: number | undefined;
  /** Turns of each contestant; each row has its own number when there is no `--runs`. */
  runs: number | undefined;
  /** An older commit, built and measured beside this one. */
  against: string | undefined;
  /** End with 1 when a ratio is missed. */
  assert: boolean;
  /** Where the figures go as JSON. */
  json: string | undefined;
}

const MOST_JOBS = 10_000_000;
const MOST_RUNS = 100;

/** @throws with what is wrong, in words for whoever typed it */
export function readOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      jobs: { type: 'string' },
      runs: { type: 'string' },
      against: { type: 'string' },
      assert: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  return {
    only: values.only?.split(',').map((name) => name.trim()),
    jobs: values.jobs === undefined ? undefined : count('jobs', values.jobs, MOST_JOBS),
    runs: values.runs === undefined ? undefined : count('runs', values.runs, MOST_RUNS),
    against: values.against,
    assert: values.assert,
    json: values.json,
  };
}

function count(name: string, text: string, most: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1 || number > most) {
    throw new Error(`--${name} takes a whole number from 1 to ${most}`);
  }
  return number;
}
