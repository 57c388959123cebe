import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { removeServices, startServices, type ServiceSet } from '../services';
import { CHECKOUT } from '../services/layout';
import { Answers } from './sale/answers';
import { Auditor } from './sale/auditor';
import { BoxOffice } from './sale/box-office';
import { runToEnd } from './child';
import type { Cleanup } from './cleanup';
import { OrderService } from './sale/order-service';
import type { PlannedRequest } from './sale/plan';
import { recordRun } from './previous-run';
import { PublicationLog } from './sale/publication-log';
import { ServiceProcesses } from './service-processes';
import { StandIns } from './stand-ins';

const SET = 'demo';
const STEP_LIMIT_MS = 120_000;

/** Everything that runs during a sale. */
export interface Stage {
  folder: string;
  files: BookFiles;
  services: ServiceSet;
  providers: StandIns;
  service: ServiceProcesses;
  answers: Answers;
  ask: (planned: PlannedRequest) => Promise<void>;
  /** Nothing is asked and heard any more; both files are whole. */
  closeBooks: () => Promise<void>;
  /** Writes down which processes are ours now. */
  record: () => void;
  /** Resolves with the processes that did not end in an orderly way. */
  stopService: () => Promise<string[]>;
}

interface BookFiles {
  published: string;
  outcomes: string;
}

/** Starts all of it, step by step, each step on the list of what must be stopped before it begins. */
export async function openStage(folder: string, cleanup: Cleanup, signal: AbortSignal): Promise<Stage> {
  const files = { published: path.join(folder, 'published.jsonl'), outcomes: path.join(folder, 'outcomes.jsonl') };
  const [services] = await Promise.all([startServers(cleanup), step('service built', build)]);
  signal.throwIfAborted();
  const databaseEnv = { ...process.env, DATABASE_URL: services.urls.DATABASE_URL };
  await step('database migrated', () => succeed(['dist/migrate.js'], databaseEnv));

  const { providers, service } = await step('service and providers started', async () => {
    const providers = await startProviders(folder, cleanup);
    signal.throwIfAborted();
    const service = new ServiceProcesses(folder, CHECKOUT, serviceEnvironment(services, providers));
    cleanup.add('the service', () => service.stopAll());
    for (const name of ['front', 'worker-1', 'worker-2']) rmSync(path.join(folder, `${name}.log`), { force: true });
    service.startAll();
    recordRun(folder, [...service.pids, ...providers.pids]);
    await service.ready(services.urls.AMQP_URL);
    return { providers, service };
  });
  signal.throwIfAborted();
  return {
    ...(await openBooks(services.urls.AMQP_URL, files, cleanup)),
    folder,
    files,
    services,
    providers,
    service,
    record: () => recordRun(folder, [...service.pids, ...providers.pids]),
    stopService: () => service.stopAll(),
  };
}

/** Those who ask, and the one who listens; the auditor first, so that nothing passes it by. */
async function openBooks(
  amqpUrl: string,
  files: BookFiles,
  cleanup: Cleanup,
): Promise<Pick<Stage, 'answers' | 'ask' | 'closeBooks'>> {
  const answers = new Answers();
  const auditor = await Auditor.open(amqpUrl, files.outcomes, answers);
  cleanup.add('the auditor', () => auditor.close());
  const log = new PublicationLog(files.published, answers);
  cleanup.add('the list of publications', () => log.close());
  const orders = await OrderService.open(amqpUrl, log);
  cleanup.add('the order service', () => orders.close());
  const boxOffice = await BoxOffice.open(amqpUrl, log);
  cleanup.add('the box office', () => boxOffice.close());
  return {
    answers,
    ask: (planned) => (planned.by === 'order service' ? orders.place(planned) : boxOffice.ask(planned)),
    closeBooks: async () => {
      await orders.close();
      await boxOffice.close();
      await log.close();
      await auditor.close();
    },
  };
}

/** Empty servers of its own, even where the environment names some: the demo empties a Redis. */
async function startServers(cleanup: Cleanup): Promise<ServiceSet> {
  return step('PostgreSQL, Redis and RabbitMQ started, in .local/demo', async () => {
    await removeServices(SET);
    const starting = startServices(SET, { environment: {} });
    cleanup.add('the servers', async () => (await starting.catch(() => undefined))?.stop());
    return starting;
  });
}

async function startProviders(folder: string, cleanup: Cleanup): Promise<StandIns> {
  const logFile = path.join(folder, 'stand-ins.log');
  rmSync(logFile, { force: true });
  const starting = StandIns.start({ cwd: CHECKOUT, env: process.env, logFile });
  cleanup.add('the providers', async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

function build(): Promise<void> {
  return succeed(['tools/build.mjs'], process.env);
}

function serviceEnvironment({ urls }: ServiceSet, { payments, mails }: StandIns): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...urls,
    // Several processes, on one machine.
    PORT: '0',
    IDEMPOTENCY_KEY_SECRET: randomBytes(32).toString('hex'),
    STRIPE_SECRET_KEY: 'sk_test_demo',
    STRIPE_API_BASE: payments.url,
    SENDGRID_API_KEY: 'SG.test.demo',
    SENDGRID_API_BASE: mails.url,
    EMAIL_FROM: 'Demo Tickets <tickets@example.com>',
    LOG_LEVEL: 'info',
  };
}

async function succeed(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const code = await runToEnd(args, { cwd: CHECKOUT, env, stdio: 'ignore', limitMs: STEP_LIMIT_MS });
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with exit code ${code}`);
}

async function step<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const begun = performance.now();
  const value = await work();
  console.log(`  ${what} (${((performance.now() - begun) / 1_000).toFixed(1)} s)`);
  return value;
}
