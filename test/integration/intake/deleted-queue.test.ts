import { randomUUID } from 'node:crypto';
import { QUEUES } from '../../../src/contract/names';
import { openHarness, type Harness } from '../../support/harness';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

it('a queue that somebody deletes is declared and consumed again', async () => {
  await harness.startService();
  const ask = () => harness.bus.request({ type: 'canary-money', data: { n: 1 }, idempotencyKey: randomUUID() });
  await harness.bus.outcomeOf(await ask(), 'completed');
  await harness.bus.channel.deleteQueue(QUEUES.requests.money);
  // Without the queue the alternate exchange takes requests, which is no silence either.
  const next = await harness.bus.outcomeOf(await ask());
  expect(['completed', 'rejected']).toContain(next.data.outcome);
  for (let n = 0; n < 200; n += 1) {
    const { data } = await harness.bus.outcomeOf(await ask());
    if (data.outcome === 'completed') return;
  }
  throw new Error('the queue never came back');
});
