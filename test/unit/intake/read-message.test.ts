import { CONTENT_TYPE, QUEUES, type Tier } from '../../../src/contract/names';
import { detourOf, firstPlace, type Place } from '../../../src/intake/detour';
import { readMessage, type ReadMessage } from '../../../src/intake/read-message';
import { jobRequestEvent } from '../../support/harness/bus';
import { order, paidOrder, payment } from '../../support/harness/payloads';

const request = jobRequestEvent({ type: 'payment-process', data: payment() });
const event = { specversion: '1.0', id: 'e-1', source: '/orders', type: 'order.placed', data: order() };

function read(body: unknown, queue: string, routingKey: string, headers: Record<string, unknown> = {}) {
  const content = Buffer.from(JSON.stringify(body));
  return readMessage({ queue, routingKey, content, contentType: CONTENT_TYPE, headers });
}

describe('a message', () => {
  it('is read by the queue that it comes from', () => {
    expect(read(request, QUEUES.requests.money, 'money.payment-process')).toHaveProperty('offers');
    expect(read(event, QUEUES.domainEvents, 'order.placed')).toHaveProperty('offers');
  });

  it.each([
    [QUEUES.requests.money, 'money'],
    [QUEUES.requests.communication, 'communication'],
    [QUEUES.otherRequests, 'other'],
    [QUEUES.domainEvents, 'events'],
    [QUEUES.deadRequests, 'other'],
  ])('from %s is refused in the name of "%s"', (queue, origin) => {
    expect(read({}, queue, 'x')).toMatchObject({ rejection: { code: 'UNREADABLE', origin } });
  });

  it('that the broker gave up on is read by the queue that it was in first', () => {
    const headers = { 'x-first-death-queue': QUEUES.domainEvents };
    expect(read(event, QUEUES.deadRequests, 'order.placed', headers)).toHaveProperty('offers');
  });

  it('is not read otherwise because its publisher says that it was in another queue', () => {
    const headers = { 'x-first-death-queue': QUEUES.domainEvents };
    expect(read(event, QUEUES.requests.money, 'order.placed', headers)).toMatchObject({
      rejection: { origin: 'money' },
    });
  });

  it('that took the way round is read as where it was first, for the tier that it waited for', () => {
    const paid = { ...event, type: 'order.paid', data: paidOrder() };
    const { background } = QUEUES.requests;
    const headers = { 'first-queue': QUEUES.domainEvents, 'first-routing-key': 'order.paid' };
    const first = read(paid, QUEUES.domainEvents, 'order.paid');
    const later = read(paid, background, background, headers);
    expect(requestsOf(first).map(({ type }) => type.name)).toEqual(['send-email', 'analytics-track']);
    expect(requestsOf(later)).toEqual(requestsOf(first).slice(1));
  });

  describe('that waits for a job of another tier, since a deploy has moved it,', () => {
    const paid = { ...event, specversion: '1.0', type: 'order.paid', data: paidOrder() } as const;
    /** As a replica of one version sends it on, and one of another version reads it. */
    const sentOn = (from: Place, to: Tier) => {
      const queue = QUEUES.requests[to];
      const { headers = {}, body } = detourOf({ content: Buffer.from(JSON.stringify(paid)) }, paid, from, to, [
        'analytics-track',
      ]);
      return read(JSON.parse(body.toString()), queue, queue, headers);
    };
    const first = read(paid, QUEUES.domainEvents, 'order.paid');
    const offersOf = (message: ReadMessage) =>
      'offers' in message ? message.offers.map(({ request, mayDetour }) => [request.type.name, mayDetour]) : message;
    const placeOf = (message: ReadMessage) => ('from' in message ? message.from : firstPlace(NOWHERE));

    it('asks for that job alone, as the event that it is', () => {
      const waiting = sentOn(placeOf(first), 'communication');
      expect(requestsOf(waiting)).toEqual(requestsOf(first).slice(1));
      expect(offersOf(waiting)).toEqual([['analytics-track', true]]);
    });

    it('is sent on to where it belongs at most once', () => {
      const again = sentOn(placeOf(sentOn(placeOf(first), 'background')), 'communication');
      expect(offersOf(again)).toEqual([['analytics-track', false]]);
    });
  });

  it('that took the way round for jobs which it does not ask for any more is refused, not forgotten', () => {
    const { background } = QUEUES.requests;
    const first = { 'first-queue': QUEUES.domainEvents, 'first-routing-key': 'order.placed' };
    expect(read(event, background, background, { ...first, 'waits-for': 'gone-by-now' })).toMatchObject({
      rejection: { code: 'WRONG_QUEUE', problems: [{ message: expect.stringContaining('gone-by-now') }] },
    });
  });

  it('that took the way round for jobs which are of another tier by now is refused, not forgotten', () => {
    const { background } = QUEUES.requests;
    const headers = { 'first-queue': QUEUES.domainEvents, 'first-routing-key': 'order.placed' };
    expect(read(event, background, background, headers)).toMatchObject({
      rejection: {
        code: 'WRONG_QUEUE',
        origin: 'events',
        requestId: event.id,
        problems: [{ path: '(queue)', message: expect.stringContaining('background') }],
      },
    });
  });

  it('is not read as one that took the way round because its publisher says so', () => {
    const headers = { 'first-queue': QUEUES.domainEvents, 'first-routing-key': 'order.placed' };
    expect(read(event, QUEUES.requests.money, 'money.payment-process', headers)).toMatchObject({
      rejection: { origin: 'money' },
    });
  });
});

const NOWHERE = { queue: '', routingKey: '', headers: {} };
const requestsOf = (message: ReadMessage) => ('offers' in message ? message.offers.map(({ request }) => request) : []);
