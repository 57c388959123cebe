import { randomUUID } from 'node:crypto';
import type { Handler } from '../../../src/handlers/handler';
import { eventually, gate, jobRequestEvent, openHarness, type Harness } from '../../support/harness';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

/** A canary whose end is held back until it is told how to end. */
function heldBack(): { handlers: Map<string, Handler>; end: (outcome: Awaited<ReturnType<Handler>>) => void } {
  const { opened, open } = gate<Awaited<ReturnType<Handler>>>();
  return { handlers: new Map([['canary-money', () => opened]]), end: open };
}

const FAILED = { kind: 'failed', code: 'NO', message: 'no', replayable: true } as const;

it('a duplicate that comes again after its job has failed does not become a job of its own', async () => {
  const { handlers, end } = heldBack();
  await harness.startService({ handlers });
  const idempotencyKey = randomUUID();
  const request = { type: 'canary-money', data: { n: 1 }, idempotencyKey };
  const first = await harness.bus.request(request);
  await eventually('the first one is a job', async () => {
    const { rowCount } = await harness.environment.pool.query('SELECT FROM critical_jobs');
    return rowCount === 1;
  });
  const event = jobRequestEvent(request);
  const publish = () =>
    harness.bus.publish('jobs.requests', 'money.canary-money', JSON.stringify(event), { messageId: event.id });
  await publish();
  await harness.bus.outcomeOf(event.id, 'duplicate');
  end(FAILED);
  await harness.bus.outcomeOf(first, 'failed');
  await eventually('the answer with the end', () => harness.bus.outcomesOf(event.id).length === 2);

  // As the broker does when the process dies between the answer and its acknowledgement.
  await publish();
  const later = await harness.bus.request({ ...request, data: { n: 2 }, idempotencyKey: randomUUID() });
  await harness.bus.outcomeOf(later);
  const { rows } = await harness.environment.pool.query('SELECT request_id FROM critical_jobs ORDER BY created_at');
  expect(rows.map(({ request_id }) => request_id)).toEqual([first, later]);
  expect(harness.bus.outcomesOf(event.id)).toHaveLength(2);
});

it('a request that was refused for a conflict stays refused when its key is free again', async () => {
  const { handlers, end } = heldBack();
  await harness.startService({ handlers });
  const idempotencyKey = randomUUID();
  const first = await harness.bus.request({ type: 'canary-money', data: { n: 1 }, idempotencyKey });
  await eventually('the first one is a job', async () => {
    const { rowCount } = await harness.environment.pool.query('SELECT FROM critical_jobs');
    return rowCount === 1;
  });
  const event = jobRequestEvent({ type: 'canary-money', data: { n: 2 }, idempotencyKey });
  const publish = () =>
    harness.bus.publish('jobs.requests', 'money.canary-money', JSON.stringify(event), { messageId: event.id });
  await publish();
  await harness.bus.outcomeOf(event.id, 'rejected');
  end(FAILED);
  await harness.bus.outcomeOf(first, 'failed');
  await publish();
  await eventually('it was seen again', async () => {
    const { rows } = await harness.environment.pool.query<{ seen: number }>(
      `SELECT seen FROM dead_letter_jobs WHERE code = 'IDEMPOTENCY_CONFLICT'`,
    );
    return rows[0]?.seen === 2;
  });
  expect(harness.bus.outcomesOf(event.id)).toHaveLength(1);
});

it('a job with more followers than one settling answers answers them all, once', async () => {
  const { handlers, end } = heldBack();
  await harness.startService({ handlers });
  const idempotencyKey = randomUUID();
  const request = { type: 'canary-money', data: { n: 1 }, idempotencyKey };
  await harness.bus.request(request);
  await eventually('the first one is a job', async () => {
    const { rowCount } = await harness.environment.pool.query('SELECT FROM critical_jobs');
    return rowCount === 1;
  });
  const followers = await Promise.all(Array.from({ length: 450 }, () => harness.bus.request(request)));
  await eventually('all follow', async () => {
    const { rowCount } = await harness.environment.pool.query('SELECT FROM job_followers');
    return rowCount === followers.length;
  });
  end({ kind: 'done', result: { n: 1 } });
  await eventually('all have the result', () =>
    followers.every((id) => harness.bus.outcomesOf(id).some(({ data }) => data.result !== null)),
  );
  await eventually('everything is published', async () => {
    const { rowCount } = await harness.environment.pool.query('SELECT FROM outbox_events WHERE published_at IS NULL');
    return rowCount === 0;
  });
  for (const id of followers) expect(harness.bus.outcomesOf(id)).toHaveLength(2);
});
