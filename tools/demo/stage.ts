import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { removeServices, startServices, type ServiceSet } from '../services';
import { CHECKOUT } from '../services/layout';
import { runToEnd } from './child';
import type { Cleanup } from './cleanup';
import { OrderService, type OrderServiceFiles } from './order-service';
import { recordRun } from './previous-run';
import { ServiceProcesses } from './service-processes';
import { PaymentProvider } from './stand-in';

const SET = 'demo';
const STEP_LIMIT_MS = 120_000;

/** Everything that runs during a sale. */
export interface Stage {
  folder: string;
  files: OrderServiceFiles;
  services: ServiceSet;
  provider: PaymentProvider;
  service: ServiceProcesses;
  orders: OrderService;
  /** Writes down which processes are ours now. */
  record: () => void;
  /** Resolves with the processes that did not end in an orderly way. */
  stopService: () => Promise<string[]>;
}

/** Starts all of it, step by step, each step on the list of what must be stopped before it begins. */
export async function openStage(folder: string, cleanup: Cleanup, signal: AbortSignal): Promise<Stage> {
  const files = { published: path.join(folder, 'published.jsonl'), outcomes: path.join(folder, 'outcomes.jsonl') };
  const [services] = await Promise.all([startServers(cleanup), step('service built', build)]);
  signal.throwIfAborted();
  const databaseEnv = { ...process.env, DATABASE_URL: services.urls.DATABASE_URL };
  await step('database migrated', () => succeed(['dist/migrate.js'], databaseEnv));

  const { provider, service } = await step('service and payment provider started', async () => {
    const provider = await startProvider(folder, cleanup);
    signal.throwIfAborted();
    const service = new ServiceProcesses(folder, CHECKOUT, serviceEnvironment(services, provider));
    cleanup.add('the service', () => service.stopAll());
    for (const name of ['front', 'worker-1', 'worker-2']) rmSync(path.join(folder, `${name}.log`), { force: true });
    service.startAll();
    recordRun(folder, [...service.pids, ...provider.pids]);
    await service.ready(services.urls.AMQP_URL);
    return { provider, service };
  });
  signal.throwIfAborted();
  const orders = await OrderService.open(services.urls.AMQP_URL, files);
  cleanup.add('the order service', () => orders.close());
  return {
    folder,
    files,
    services,
    provider,
    service,
    orders,
    record: () => recordRun(folder, [...service.pids, ...provider.pids]),
    stopService: () => service.stopAll(),
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

async function startProvider(folder: string, cleanup: Cleanup): Promise<PaymentProvider> {
  const logFile = path.join(folder, 'stand-in.log');
  rmSync(logFile, { force: true });
  const starting = PaymentProvider.start({ cwd: CHECKOUT, env: process.env, logFile });
  cleanup.add('the payment provider', async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

function build(): Promise<void> {
  return succeed(['tools/build.mjs'], process.env);
}

function serviceEnvironment({ urls }: ServiceSet, provider: PaymentProvider): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...urls,
    // Several processes, on one machine.
    PORT: '0',
    IDEMPOTENCY_KEY_SECRET: randomBytes(32).toString('hex'),
    STRIPE_SECRET_KEY: 'sk_test_demo',
    STRIPE_API_BASE: provider.url,
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
