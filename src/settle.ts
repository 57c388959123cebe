/** The command by which a person settles a job in doubt: `node dist/settle.js --help`. */
import { composeCallbacks } from './composition/callbacks';
import { doubtSteps } from './composition/doubt';
import { ConfigError, loadConfig } from './config';
import { isReadable, markOf, missingOf } from './handlers/told-effects';
import { readDecisions, readDoubtfulEffects } from './jobs/doubt';
import { readJob } from './jobs/read';
import { complain, EX_CONFIG, EX_USAGE, say } from './platform/command';
import { createLogger, describeError } from './platform/logger';
import { CommitUnknownError, Database } from './platform/postgres/database';
import { settleDoubt, type DoubtSteps } from './recovery/doubt';
import { readArguments, USAGE, type Asked } from './recovery/doubt-arguments';
import { describeAnswer, describeJob } from './recovery/doubt-report';
import type { Decision } from './recovery/doubt-verdict';

const REFUSED = 2;

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2));
  if (asked.kind === 'help') return say(USAGE, 0);
  if (asked.kind === 'wrong') return complain(`${asked.problem}\n\n${USAGE}`, EX_USAGE);
  const config = loadConfig(process.env);
  const log = createLogger({ level: 'silent', service: 'settle' });
  const database = new Database({ ...config.database, poolSize: 1 }, log);
  try {
    return await answer(database, composeCallbacks(config, database, log).append, asked);
  } finally {
    await database.close();
  }
}

function answer(
  database: Database,
  append: DoubtSteps['append'],
  asked: Extract<Asked, { jobId: string }>,
): Promise<number> {
  return asked.kind === 'show' ? show(database, asked.jobId) : settle(database, append, asked.jobId, asked.decision);
}

async function show(database: Database, jobId: string): Promise<number> {
  const job = await readJob(database, jobId);
  if (!job) return complain('there is no such money job', REFUSED);
  const effects = await readDoubtfulEffects(database, jobId);
  return say(describeJob(job, effects, await readDecisions(database, jobId), { missingOf, isReadable, markOf }), 0);
}

async function settle(
  database: Database,
  append: DoubtSteps['append'],
  jobId: string,
  decision: Decision,
): Promise<number> {
  const steps = doubtSteps({
    append,
    transaction: (work) => database.transaction(work),
    // Feeder and relay live in other processes, and look every second.
    wakeFeeder: () => undefined,
    signal: () => undefined,
  });
  const { done, text } = describeAnswer(await settleDoubt(steps, jobId, decision));
  return done ? say(text, 0) : complain(text, REFUSED);
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const lost =
      error instanceof CommitUnknownError ? 'nobody knows whether it was settled, look at the job again: ' : '';
    const text = error instanceof ConfigError ? error.message : `${lost}${describeError(error)}`;
    process.exitCode = complain(text, error instanceof ConfigError ? EX_CONFIG : 1);
  },
);
