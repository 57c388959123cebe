/**
 * `npm run dev`: servers, stand-ins of the providers, and the service with all its roles, from source; it starts again when
 * one of its files changes. Servers that the environment names are used; those of our own keep their data in .local/dev.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startServices, type ServiceSet } from '../services';
import { CHECKOUT, LOCAL } from '../services/layout';
import { AccessKey, printAccess } from '../stage/access';
import { Chains } from '../stage/chains';
import { Child } from '../stage/child';
import type { Cleanup } from '../stage/cleanup';
import { exitWith, launch, type End } from '../stage/launch';
import { untilReady } from '../stage/ready';
import { RunRecord } from '../stage/run-record';
import { freePort, serviceVariables, webhookVariables } from '../stage/service-variables';
import { StandIns } from '../stage/stand-ins';
import { step, succeed } from '../stage/steps';

const FOLDER = path.join(LOCAL, 'dev-run');
const USUAL_PORT = 3020;
const READY_LIMIT_MS = 60_000;

/** TypeScript without a build; Node itself watches what was loaded, and stops the process in order before it starts another. */
const WATCHED = ['--watch', '--watch-preserve-output', '--require', 'tsx/cjs', 'src/main.ts'];

async function main(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true });
  const record = new RunRecord(FOLDER, 'tools/dev/main.ts');
  await record.endPrevious();
  record.write([]);
  return launch((cleanup, interruption) => develop(record, cleanup, interruption));
}

async function develop(record: RunRecord, cleanup: Cleanup, signal: AbortSignal): Promise<End> {
  const services = await step('PostgreSQL, Redis and RabbitMQ are up', () => startServers(cleanup));
  signal.throwIfAborted();
  await step('database migrated', () => migrate(services));
  const port = await freePort(USUAL_PORT);
  const serviceUrl = `http://127.0.0.1:${port}`;
  const providers = await step('stand-ins of Stripe, SendGrid and FCM started', () =>
    startProviders(cleanup, `${serviceUrl}/api/v1/queue/provider-webhooks`),
  );
  const chains = await step('Polygon and Solana on this machine started', () => startChains(cleanup));
  signal.throwIfAborted();

  const key = new AccessKey();
  const known = { ...serviceVariables(services.urls, providers, key, FOLDER), ...webhookVariables() };
  const variables = { ...known, ...chains.variables, PORT: String(port) };
  const service = Child.start({
    name: 'the service',
    args: WATCHED,
    cwd: CHECKOUT,
    env: { ...process.env, ...variables },
  });
  cleanup.add('the service', () => service.stop());
  record.write([...providers.pids, ...chains.pids, ...(service.pid === undefined ? [] : [service.pid])]);

  await untilReady(serviceUrl, READY_LIMIT_MS, () => signal.throwIfAborted()).catch((error: unknown) => {
    signal.throwIfAborted();
    // Whoever develops may have broken it just now: the next change starts it again.
    console.log(`not ready: ${error instanceof Error ? error.message : String(error)}`);
  });
  await printAccess(key, { serviceUrl, urls: services.urls, providers });
  return { code: 0, keep: true };
}

function startServers(cleanup: Cleanup): Promise<ServiceSet> {
  const starting = startServices('dev');
  cleanup.add('the servers', async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

function migrate({ urls }: ServiceSet): Promise<void> {
  return succeed(['--require', 'tsx/cjs', 'src/migrate.ts'], { ...process.env, DATABASE_URL: urls.DATABASE_URL });
}

function startProviders(cleanup: Cleanup, webhooksTo: string): Promise<StandIns> {
  const logFile = path.join(FOLDER, 'stand-ins.log');
  rmSync(logFile, { force: true });
  const starting = StandIns.start({ cwd: CHECKOUT, env: process.env, logFile }, webhooksTo);
  cleanup.add('the providers', async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

function startChains(cleanup: Cleanup): Promise<Chains> {
  const logFile = path.join(FOLDER, 'chains.log');
  rmSync(logFile, { force: true });
  const starting = Chains.start({ cwd: CHECKOUT, env: process.env, logFile });
  cleanup.add('the chains', async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

exitWith(main());
