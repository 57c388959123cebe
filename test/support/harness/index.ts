import { loadConfig, type Config } from '../../../src/config';
import { createService, type Service, type ServiceOverrides } from '../../../src/service';
import { startStripeSandbox, type StripeSandbox } from '../sandbox/stripe/sandbox';
import { TestBus } from './bus';
import { createTestEnvironment, type TestEnvironment } from './environment';

export { eventually, gate } from './wait';
export { activity, order, paidOrder, payment, placedOrder } from './payloads';
export { jobRequestEvent, TestBus, type ReceivedOutcome, type RequestParts } from './bus';
export { managementCall, type TestEnvironment } from './environment';

/** Everything that a test of the whole flow needs, of its own. */
export interface Harness {
  environment: TestEnvironment;
  stripe: StripeSandbox;
  bus: TestBus;
  /** Starts one more process' worth of service, stopped at the end. */
  startService: (
    overrides?: ServiceOverrides,
    tune?: (config: Config) => Config,
    variables?: Record<string, string>,
  ) => Promise<Service>;
  close: () => Promise<void>;
}

let instances = 0;

export async function openHarness(): Promise<Harness> {
  const stripe = await startStripeSandbox();
  const environment = await createTestEnvironment(stripe.url);
  const bus = await TestBus.open(environment.variables['AMQP_URL'] ?? '');
  const services: Service[] = [];
  return {
    environment,
    stripe,
    bus,
    startService: async (overrides = {}, tune = (config) => config, variables = {}) => {
      const config = loadConfig({ ...environment.variables, ...variables });
      instances += 1;
      const service = createService(tune({ ...config, instance: `test-${process.pid}-${instances}` }), overrides);
      services.push(service);
      await service.start();
      return service;
    },
    close: async () => {
      await Promise.all(services.map((service) => service.stop()));
      await bus.close();
      await environment.remove();
      await stripe.close();
    },
  };
}
