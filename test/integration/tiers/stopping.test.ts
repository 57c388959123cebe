import { randomUUID } from 'node:crypto';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness?.close());

it('no tier takes jobs while another one drains', async () => {
  const slow = gate();
  let holding = false;
  let started = 0;
  const holds: Handler = async () => {
    holding = true;
    await slow.opened;
    return done({ n: 1 });
  };
  const counts: Handler = () => {
    started += 1;
    return Promise.resolve(done({ n: 1 }));
  };
  const handlers = new Map([
    ['canary-background', holds],
    ['canary-money', counts],
  ]);
  const worker = await harness.startService({ handlers }, undefined, { ROLES: 'worker' });
  await harness.startService({}, undefined, { ROLES: 'consumer,relay,scheduler' });
  await harness.bus.request({ type: 'canary-background', data: { n: 1, note: randomUUID() } });
  await eventually('the background tier is busy', () => holding);
  const stopping = worker.stop();
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1, note: randomUUID() } });
  await eventually('the job waits in Redis', async () => {
    const { rows } = await harness.environment.pool.query('SELECT FROM critical_jobs WHERE queued');
    return rows.length === 1;
  });
  slow.open();
  await stopping;
  expect(started).toBe(0);
  await harness.startService({ handlers }, undefined, { ROLES: 'worker' });
  await harness.bus.outcomeOf(id, 'completed');
  expect(started).toBe(1);
});
