import { randomUUID } from 'node:crypto';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { BAD_MESSAGES, PERSONAL } from '../../support/bad-messages';
import { eventually, jobRequestEvent, openHarness, payment, type Harness } from '../../support/harness';
import { deadLettersOf, refusalOf } from '../../support/rejections';
import { ServiceProcess } from '../../support/service-process';

const KEPT_BYTES = 64 * 1024;
const CASES = Object.entries(BAD_MESSAGES);

let harness: Harness;
let service: ServiceProcess;
/** Everything that was published about jobs, with all its properties, as text. */
const published: string[] = [];
const goodIds: string[] = [];

beforeAll(async () => {
  harness = await openHarness();
  await listen();
  // All of it waits when the service starts, the good among the bad, so that it comes in batches.
  for (const { exchange, routingKey, body, contentType } of Object.values(BAD_MESSAGES)) {
    await harness.bus.publish(exchange, routingKey, body, contentType === undefined ? {} : { contentType });
    goodIds.push(await harness.bus.request({ type: 'canary-money', data: { n: 1, note: randomUUID() } }));
  }
  service = new ServiceProcess('src/main.ts', { ...harness.environment.variables, LOG_LEVEL: 'debug' });
});
afterAll(async () => {
  await service?.end();
  await harness?.close();
});

async function listen(): Promise<void> {
  const { channel } = harness.bus;
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.outcomes, '#');
  await channel.consume(
    queue,
    (message) => {
      if (message) published.push(JSON.stringify([message.fields, message.properties]) + message.content.toString());
    },
    { noAck: true },
  );
}

const requests = async (): Promise<number> => {
  const { rows } = await harness.environment.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM critical_jobs');
  return rows[0]?.n ?? -1;
};

describe('a message with', () => {
  it.each(CASES)('%s is refused, with every problem in its answer and its dead letter', async (name, bad) => {
    const { pool } = harness.environment;
    const { letter, outcome } = await refusalOf(pool, harness.bus, bad.body, `for ${name}`);

    expect({ code: letter.code, paths: new Set(letter.errors.map(({ path }) => path)) }).toEqual({
      code: bad.code,
      paths: new Set(bad.paths),
    });
    expect(letter).toMatchObject({ kind: 'rejected', seen: 1, job_id: null });
    // Kept as bytes, as far as they are kept.
    expect(letter.body.equals(Buffer.from(bad.body).subarray(0, KEPT_BYTES))).toBe(true);
    expect(outcome.routingKey).toBe(bad.answer);
    expect(outcome.data).toMatchObject({
      outcome: 'rejected',
      jobId: null,
      generation: null,
      sequence: 0,
      result: null,
    });
    expect(outcome.data.error).toMatchObject({ code: bad.code, replayable: false, details: letter.errors });
  });
});

it('the good ones between them are done, and no batch was given up', async () => {
  await Promise.all(goodIds.map((id) => harness.bus.outcomeOf(id, 'completed')));
  expect(await requests()).toBe(goodIds.length);
  expect(service.output).not.toContain('intake interrupted');
  expect(service.gone).toBe(false);
});

it('what can be read of a refused request is in its answer, so that its sender finds it', async () => {
  const id = randomUUID();
  const correlationid = 'order-7';
  const event = { ...jobRequestEvent({ type: 'payment-process', data: {}, id, correlationid }), time: 'never' };
  await harness.bus.publish(EXCHANGES.requests, 'money.payment-process', JSON.stringify(event));
  const { data } = await harness.bus.outcomeOf(id, 'rejected');
  expect(data).toMatchObject({ requestId: id, correlationId: correlationid });
  const answered = await eventually('it is heard', () => published.find((text) => text.includes(id)));
  expect(answered).toContain('to.test-service');
});

it('the same bad message again is counted and not answered again', async () => {
  const { pool } = harness.environment;
  const body = `{"no": "JSON ${randomUUID()}`;
  await harness.bus.publish(EXCHANGES.requests, 'money.payment-process', body);
  const { outcome } = await refusalOf(pool, harness.bus, body);
  await harness.bus.publish(EXCHANGES.requests, 'money.payment-process', body);
  await eventually('it is counted', async () => (await deadLettersOf(pool, body))[0]?.seen === 2);
  await harness.bus.outcomeOf(
    await harness.bus.request({ type: 'canary-money', data: { n: 2, note: randomUUID() } }),
    'completed',
  );
  expect(harness.bus.outcomes.filter(({ id }) => id === outcome.id)).toHaveLength(1);
});

describe('a request that contradicts an earlier one', () => {
  const personal = { paymentMethod: 'pm_card_visa', metadata: { name: PERSONAL[1] } };
  const first = { type: 'payment-process', data: payment(personal), idempotencyKey: randomUUID() };

  it.each([
    ['its identity', 'REQUEST_ID_REUSED', 'id', (id: string) => ({ id })],
    ['its key', 'IDEMPOTENCY_CONFLICT', 'data.idempotencyKey', () => ({ idempotencyKey: first.idempotencyKey })],
  ])('by %s is refused as %s, and the earlier one stands', async (_, code, path, over) => {
    const { bus, environment } = harness;
    const event = jobRequestEvent(first);
    await bus.publish(EXCHANGES.requests, 'money.payment-process', JSON.stringify(event));
    const done = await bus.outcomeOf(event.id);
    const jobId = done.data.jobId;

    const other = JSON.stringify(jobRequestEvent({ ...first, data: payment(personal), ...over(event.id) }));
    await bus.publish(EXCHANGES.requests, 'money.payment-process', other);

    const { letter, outcome } = await refusalOf(environment.pool, bus, other);
    expect(letter).toMatchObject({ code, job_id: jobId, job_type: 'payment-process', errors: [{ path }] });
    expect(outcome.data).toMatchObject({ jobId, error: { code, details: [{ path }] } });
    expect(harness.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === jobId)).toHaveLength(1);
  });
});

it('nothing personal is in what was logged or published', async () => {
  expect(published.length).toBeGreaterThan(CASES.length);
  expect(service.output).toContain('queue-service');
  for (const value of PERSONAL) {
    expect(published.filter((text) => text.includes(value))).toEqual([]);
    expect(service.output).not.toContain(value);
  }
});

it('everything was acknowledged: nothing comes back when the service has gone', async () => {
  service.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  const { requests: tiers, otherRequests, domainEvents, deadRequests } = QUEUES;
  for (const queue of [...Object.values(tiers), otherRequests, domainEvents, deadRequests]) {
    expect(await harness.bus.channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
  }
});
