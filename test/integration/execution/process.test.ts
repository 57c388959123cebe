import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows } from '../../support/money';
import { ServiceProcess } from '../../support/service-process';
import { TcpProxy } from '../../support/tcp-proxy';

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

it('SIGTERM while no Redis answers: every part ends in its own time, and the process with 0', async () => {
  const names = ['REDIS_MONEY_URL', 'REDIS_COMMUNICATION_URL', 'REDIS_BACKGROUND_URL'];
  const lines = await Promise.all(names.map((name) => TcpProxy.open(harness.environment.variables[name] ?? '')));
  try {
    const urls = names.map((name, index) => [name, lines[index]?.through(harness.environment.variables[name] ?? '')]);
    const service = start({
      ...harness.environment.variables,
      ...Object.fromEntries(urls),
      ROLES: 'consumer,scheduler',
      SHUTDOWN_TIMEOUT_MS: '6000',
      LOG_LEVEL: 'info',
    });
    await eventually('it is connected', () => lines.every(({ open }) => open > 0));
    for (const line of lines) line.block();
    await eventually('the windows know nothing', () => /queue window not refreshed/.test(service.output));
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(service.output).not.toContain('stop failed');
  } finally {
    await Promise.all(lines.map((line) => line.close()));
  }
});
