import { environmentOf, type ServiceSet, startServices } from '../../tools/services';
import { SET_VARIABLE } from '../../tools/services/environment';
import { writeLanes } from './lanes';

const started: ServiceSet[] = [];

/** A set of servers for each of jest's workers: those of the environment, or `test`, `test-2` and so on. */
export default async function globalSetup({ maxWorkers }: { maxWorkers: number }): Promise<void> {
  const first = await start(process.env[SET_VARIABLE] ?? 'test');
  // Inherited by the test workers, which jest starts after this.
  Object.assign(process.env, environmentOf(first));
  const others = first.external
    ? []
    : Array.from({ length: maxWorkers - 1 }, (_, index) => `${first.set}-${index + 2}`);
  const lanes = [first];
  for (const set of others) lanes.push(await start(set));
  writeLanes(lanes.map(environmentOf));
}

export async function stopStartedServices(): Promise<void> {
  await Promise.all(started.map((services) => services.stop()));
}

async function start(set: string): Promise<ServiceSet> {
  const services = await startServices(set);
  started.push(services);
  return services;
}
