import { startServices, type ServiceSet } from '../../../tools/services';
import { eventually, openHarness, TestBus, type Harness } from '../../support/harness';
import { jobsByTerminalOutcomes, requestCanaries, untilClaimed, untilCompleted } from '../../support/many-jobs';
import { quick } from '../../support/money';
import { countUnpublished } from '../../support/relayed';
import { TcpProxy } from '../../support/tcp-proxy';

describe('when the line to Redis', () => {
  let harness: Harness;
  let proxy: TcpProxy;

  beforeEach(async () => {
    harness = await openHarness();
    proxy = await TcpProxy.open(harness.environment.variables['REDIS_MONEY_URL'] ?? '');
    const url = proxy.through(harness.environment.variables['REDIS_MONEY_URL'] ?? '');
    await harness.startService({}, quick, { REDIS_MONEY_URL: url });
    await requestCanaries(harness.bus, 1);
    await untilCompleted(harness.environment.pool, 1);
  });
  afterEach(async () => {
    proxy?.unblock();
    proxy?.resume();
    await harness?.close();
    await proxy?.close();
  });

  it('is broken off again and again, workers go on by themselves', async () => {
    for (let round = 1; round <= 5; round += 1) {
      proxy.cut();
      await requestCanaries(harness.bus, 4);
      await untilCompleted(harness.environment.pool, 1 + 4 * round);
    }
    expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 21 });
  });

  it('stays broken, requests are accepted, and complete once it is mended', async () => {
    proxy.block();
    await requestCanaries(harness.bus, 20);
    await untilClaimed(harness.environment.pool, 21);
    await eventually('they are acknowledged', async () => {
      return (await harness.bus.channel.checkQueue('queue-service.requests.money')).messageCount === 0;
    });
    proxy.unblock();
    await untilCompleted(harness.environment.pool, 21);
    expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 21 });
  });

  it('is half-open, the service does not wait for it for ever', async () => {
    proxy.strand();
    await requestCanaries(harness.bus, 5);
    await untilClaimed(harness.environment.pool, 6);
    await untilCompleted(harness.environment.pool, 6, 50_000);
    expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 6 });
  });
});

describe('when the broker is restarted', () => {
  let services: ServiceSet;
  let harness: Harness;

  beforeAll(async () => {
    services = await startServices('recovery-broker', { only: ['rabbitmq'], environment: {}, log: () => undefined });
    // The harness makes its virtual host where these point to.
    process.env['AMQP_URL'] = services.urls.AMQP_URL;
    process.env['RABBITMQ_MANAGEMENT_URL'] = services.urls.RABBITMQ_MANAGEMENT_URL;
    harness = await openHarness();
  });
  afterAll(async () => {
    await harness?.close();
    await services?.stop();
  });

  it('every confirmed request ends once, and every outcome arrives', async () => {
    await Promise.all([1, 2].map(() => harness.startService({}, quick)));
    const first = await requestCanaries(harness.bus, 300);
    await services.rabbitmq.stop({ signal: 'SIGKILL' });
    await services.rabbitmq.start();
    const bus = await TestBus.open(harness.environment.variables['AMQP_URL'] ?? '');
    try {
      const second = await requestCanaries(bus, 20);
      const all = [...first, ...second];
      const { pool } = harness.environment;
      await untilCompleted(pool, all.length);
      await eventually('all is published', async () => (await countUnpublished(pool)) === 0);
      await eventually('every outcome has arrived', () =>
        all.every((id) => [...harness.bus.outcomesOf(id, 'completed'), ...bus.outcomesOf(id, 'completed')].length > 0),
      );
      expect(await jobsByTerminalOutcomes(pool)).toEqual({ 1: all.length });
      const arrived = [...harness.bus.outcomes, ...bus.outcomes];
      expect(new Set(arrived.map(({ messageId }) => messageId)).size).toBe(all.length);
    } finally {
      await bus.close();
    }
  });
});
