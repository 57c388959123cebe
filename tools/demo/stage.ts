import { rmSync } from 'node:fs';
import path from 'node:path';
import { removeServices, startServices, type ServiceSet } from '../services';
import { CHECKOUT } from '../services/layout';
import { Answers } from './sale/answers';
import { Auditor } from './sale/auditor';
import { BoxOffice } from './sale/box-office';
import { OrderService } from './sale/order-service';
import type { PlannedRequest } from './sale/plan';
import { PublicationLog } from './sale/publication-log';
import { ServiceProcesses } from './service-processes';
import { AccessKey } from '../stage/access';
import type { Cleanup } from '../stage/cleanup';
import type { RunRecord } from '../stage/run-record';
import { freePort, serviceVariables, withoutServiceVariables } from '../stage/service-variables';
import { StandIns } from '../stage/stand-ins';
import { step, succeed } from '../stage/steps';

const SET = 'demo';

/** Everything that runs during a sale. */
export interface Stage {
  folder: string;
  files: BookFiles;
  services: ServiceSet;
  providers: StandIns;
  service: ServiceProcesses;
  /** By which somebody gets in, and where. */
  key: AccessKey;
  serviceUrl: string;
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
export async function openStage(
  folder: string,
  record: RunRecord,
  cleanup: Cleanup,
  signal: AbortSignal,
): Promise<Stage> {
  const files = { published: path.join(folder, 'published.jsonl'), outcomes: path.join(folder, 'outcomes.jsonl') };
  const [services] = await Promise.all([startServers(cleanup), step('service built', build)]);
  signal.throwIfAborted();
  const databaseEnv = { ...withoutServiceVariables(process.env), DATABASE_URL: services.urls.DATABASE_URL };
  await step('database migrated', () => succeed(['dist/migrate.js'], databaseEnv));

  const key = new AccessKey();
  const port = await freePort();
  const { providers, service } = await step('service and providers started', async () => {
    const providers = await startProviders(folder, cleanup);
    signal.throwIfAborted();
    const env = { ...withoutServiceVariables(process.env), ...serviceVariables(services.urls, providers, key, folder) };
    const service = new ServiceProcesses(folder, CHECKOUT, env, port);
    cleanup.add('the service', () => service.stopAll());
    for (const name of ['front', 'worker-1', 'worker-2']) rmSync(path.join(folder, `${name}.log`), { force: true });
    service.startAll();
    record.write([...service.pids, ...providers.pids]);
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
    key,
    serviceUrl: `http://127.0.0.1:${port}`,
    record: () => record.write([...service.pids, ...providers.pids]),
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
