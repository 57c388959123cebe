import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows } from '../../support/money';
import { ServiceProcess } from '../../support/service-process';

const MAIN = 'src/main.ts';

let harness: Harness;
let rows: MoneyRows;
const processes: ServiceProcess[] = [];

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.end()));
  harness.stripe.clearFaults();
});
afterAll(() => harness?.close());

function start(variables: Record<string, string>): ServiceProcess {
  const started = new ServiceProcess(MAIN, variables);
  processes.push(started);
  return started;
}

/** A process that runs a payment which its provider never answers. */
async function startWithHangingPayment(over: Record<string, string>) {
  const hang = harness.stripe.fault({ kind: 'hang' });
  const service = start({ ...harness.environment.variables, ...over });
  const id = await harness.bus.request({ type: 'payment-process', data: payment() });
  await hang.reached;
  return { service, id };
}

it('SIGTERM: hands back what does not finish in time, without an attempt spent, and exits with 0', async () => {
  const { service, id } = await startWithHangingPayment({ SHUTDOWN_TIMEOUT_MS: '5000' });
  service.kill('SIGTERM');

  expect(await service.exited).toBe(0);

  expect(await rows.find(id)).toMatchObject({ status: 'pending', reason: 'HANDED_BACK', attempts: 0, held: true });
  const next = start(harness.environment.variables);
  const { data } = await harness.bus.outcomeOf(id);
  expect(data).toMatchObject({ outcome: 'completed', attempts: 1 });
  // The same key was asked again: one charge.
  expect(harness.stripe.ledger()).toMatchObject([{ calls: 2, metadata: { job_id: data.jobId } }]);
  next.kill('SIGTERM');
  expect(await next.exited).toBe(0);
});

it('a second SIGTERM ends it at once, with 1', async () => {
  // It would wait for the hanging payment for nearly a minute, and then exit with 0.
  const { service } = await startWithHangingPayment({ SHUTDOWN_TIMEOUT_MS: '60000' });
  await eventually('it has exited', () => {
    service.kill('SIGTERM');
    return service.gone;
  });
  expect(await service.exited).toBe(1);
});

it('a configuration that cannot be used is refused with 78, and everything that is wrong with it is listed', async () => {
  const service = start({
    DATABASE_URL: 'mysql://nowhere/db',
    REDIS_PORT: 'many',
    AMQP_URL: 'not a url',
    IDEMPOTENCY_KEY_SECRET: 'short',
    ROLES: 'worker,cook',
    JWT_SECRET: 'shared',
    STRIPE_SECRET_KEY_FILE: '/nowhere/key',
  });

  expect(await service.exited).toBe(78);

  const wrong = ['DATABASE_URL', 'REDIS_PORT', 'REDIS_MONEY_URL or REDIS_HOST', 'AMQP_URL', 'IDEMPOTENCY_KEY_SECRET'];
  for (const name of [...wrong, 'ROLES', 'JWT_SECRET', 'STRIPE_SECRET_KEY']) expect(service.output).toContain(name);
  expect(service.output).not.toMatch(/short|shared/);
});
