import { randomUUID } from 'node:crypto';
import { LOWER_TIERS, QUEUES } from '../../../src/contract/names';
import { eventually, openHarness, type Harness } from '../../support/harness';

const WINDOW = 5;
const REQUESTS = 30;
const DAY_MS = 24 * 60 * 60 * 1_000;

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

describe.each(LOWER_TIERS)('the window of the %s tier', (tier) => {
  const ask = (type: string, options = {}): Promise<string> =>
    harness.bus.request({ type, data: { n: 1, note: randomUUID() }, options });
  const open = (): Promise<string[]> =>
    harness.environment.lowerRedis[tier].keys(`${harness.environment.variables['QUEUE_PREFIX']}:{${tier}}:job:*`);
  const inBroker = async (): Promise<number> =>
    (await harness.bus.channel.checkQueue(QUEUES.requests[tier])).messageCount;

  it('is full: what comes more waits in the broker, and the other tiers go on; then everything is done', async () => {
    const others = ['money', ...LOWER_TIERS].filter((one) => one !== tier);
    await harness.startService({}, undefined, {
      WORKER_QUEUES: others.join(','),
      [`${tier.toUpperCase()}_WINDOW`]: String(WINDOW),
      MAX_BATCH: '1',
    });
    const requests = await Promise.all(Array.from({ length: REQUESTS }, () => ask(`canary-${tier}`)));
    await eventually('the rest is back in the broker', async () => (await inBroker()) === REQUESTS - WINDOW);
    expect(await open()).toHaveLength(WINDOW);
    for (const other of others) await harness.bus.outcomeOf(await ask(`canary-${other}`), 'completed');
    expect(await open()).toHaveLength(WINDOW);

    await harness.startService({}, undefined, { ROLES: 'worker', WORKER_QUEUES: tier });
    for (const id of requests) await harness.bus.outcomeOf(id, 'completed');
    expect(harness.bus.outcomes).toHaveLength(REQUESTS + others.length);
  });

  it('is not filled by jobs of another day, which have as much room beside it', async () => {
    await harness.startService({}, undefined, { [`${tier.toUpperCase()}_WINDOW`]: String(WINDOW), MAX_BATCH: '1' });
    const tomorrow = { delay: DAY_MS };
    for (let count = 0; count < 2 * WINDOW - 1; count += 1) await ask(`canary-${tier}`, tomorrow);
    await eventually('all of them are taken', async () => (await open()).length === 2 * WINDOW - 1);
    await harness.bus.outcomeOf(await ask(`canary-${tier}`), 'completed');
  });
});
