import { environmentOf, type ServiceSet, startServices } from '../../tools/services';
import { SET_VARIABLE } from '../../tools/services/environment';

let services: ServiceSet | undefined;

/** The servers of the environment, or of the set `test`, which is started unless it is up. */
export default async function globalSetup(): Promise<void> {
  services = await startServices(process.env[SET_VARIABLE] ?? 'test');
  // Inherited by the test workers, which jest starts after this.
  Object.assign(process.env, environmentOf(services));
}

export async function stopStartedServices(): Promise<void> {
  await services?.stop();
}
