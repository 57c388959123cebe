import { randomUUID } from 'node:crypto';
import { requesterKey, routingType } from '../../../src/contract/names';
import { jobOutcomeId, outcomeMessage, requestOutcomeId, type OutcomeData } from '../../../src/contract/outcome';

const jobId = '01933f6e-0000-7000-8000-000000000001';
const data: OutcomeData = {
  jobId,
  queue: 'money',
  type: 'payment-process',
  outcome: 'completed',
  requestId: 'r-1',
  correlationId: 'c-1',
  idempotencyKey: 'k',
  generation: 1,
  sequence: 1,
  attempts: 1,
  result: { n: 1 },
  error: null,
  acceptedAt: null,
  startedAt: null,
  finishedAt: null,
};
const time = new Date('2026-01-15T10:00:00Z');

describe('the id of an outcome', () => {
  it('is the same whenever it is asked for, and has not changed since it was first published', () => {
    expect(jobOutcomeId(jobId, 1, 'completed', 1)).toBe(jobOutcomeId(jobId, 1, 'completed', 9));
    expect(jobOutcomeId(jobId, 1, 'completed', 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it('differs by job, generation, kind and, where it may recur, sequence', () => {
    const ids = [
      jobOutcomeId(jobId, 1, 'completed', 1),
      jobOutcomeId(jobId, 2, 'completed', 1),
      jobOutcomeId(jobId, 1, 'failed', 1),
      jobOutcomeId(randomUUID(), 1, 'completed', 1),
      jobOutcomeId(jobId, 1, 'attention', 1),
      jobOutcomeId(jobId, 1, 'attention', 2),
      requestOutcomeId(jobId, 'duplicate', 'first'),
      requestOutcomeId(jobId, 'duplicate', 'finished'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('an outcome', () => {
  it('is a CloudEvent about its job, for everybody and for its requester alone', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const message = outcomeMessage('id-1', data, { source: '/payment-service', traceparent, time });
    expect(message).toMatchObject({
      id: 'id-1',
      exchange: 'jobs.events',
      routingKey: 'money.payment-process.completed',
      contentType: 'application/cloudevents+json',
      type: 'com.tickettoken.job.completed.v1',
      correlationId: 'c-1',
      alsoTo: ['to.payment-service'],
      headers: { traceparent },
    });
    expect(JSON.parse(message.body)).toEqual({
      specversion: '1.0',
      id: 'id-1',
      source: '/queue-service',
      type: 'com.tickettoken.job.completed.v1',
      subject: jobId,
      time: '2026-01-15T10:00:00.000Z',
      datacontenttype: 'application/json',
      correlationid: 'c-1',
      traceparent,
      data,
    });
  });

  it('of what cannot be read names nobody', () => {
    const message = outcomeMessage(
      'id-1',
      { ...data, jobId: null, type: 'unknown', outcome: 'rejected', correlationId: null, requestId: null },
      { source: undefined, traceparent: undefined, time },
    );
    expect(message).toMatchObject({ routingKey: 'money.unknown.rejected', alsoTo: [], headers: {} });
    expect(JSON.parse(message.body)).not.toHaveProperty('subject');
  });
});

describe('names in routing keys', () => {
  it.each([
    ['/payment-service', 'to.payment-service'],
    ['https://shop.example.com/orders/', 'to.https---shop-example-com-orders'],
    ['///', 'to.'],
    ['x'.repeat(255), `to.${'x'.repeat(100)}`],
  ])('the source %s is %s', (source, key) => {
    expect(requesterKey(source)).toBe(key);
  });

  it.each([
    ['payment-process', 'payment-process'],
    ['a.b', 'unknown'],
    ['#', 'unknown'],
    ['x'.repeat(65), 'unknown'],
    [undefined, 'unknown'],
  ])('the type %s is %s', (type, name) => {
    expect(routingType(type)).toBe(name);
  });
});
