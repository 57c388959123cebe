import type { CloudEvent } from '../../../src/contract/envelope';
import { mapDomainEvent } from '../../../src/intake/domain-events';
import { activity, order, paidOrder } from '../../support/harness/payloads';

const map = (data: CloudEvent['data'], over: { name?: string; type?: string; id?: string } = {}) => {
  const { name = 'order.placed', type = 'com.tickettoken.order.placed.v1', id = 'event-1' } = over;
  const event = { specversion: '1.0' as const, id, source: '/orders', type, correlationid: 'c-1', data: data ?? null };
  return mapDomainEvent(event, name);
};

describe('order.placed', () => {
  it('asks for its payment, under a key made of the order', () => {
    const { userId, venueId, eventId, amount, currency, paymentMethod, ...rest } = order({ orderId: 'o-1' });
    const data = { userId, venueId, eventId, amount, currency, paymentMethod };
    expect(map({ ...data, ...rest })).toMatchObject({
      requests: [
        {
          type: { name: 'payment-process' },
          data,
          idempotencyKey: { callers: true, key: 'order-o-1-payment' },
          requestId: 'event-1',
          source: '/orders',
          correlationId: 'c-1',
        },
      ],
    });
  });

  it('hands on nothing that the payment does not need', () => {
    const mapped = map(order({ email: 'ada@example.com' }));
    if (!('requests' in mapped)) throw new Error('refused');
    expect(JSON.stringify(mapped.requests[0]?.data)).not.toContain('ada@example');
  });

  it('of another event is another identity, but the same key', () => {
    const data = order();
    const [one, other] = [map(data, { id: 'a' }), map(data, { id: 'b' })];
    if (!('requests' in one) || !('requests' in other)) throw new Error('refused');
    expect(one.requests[0]?.requestKey).not.toBe(other.requests[0]?.requestKey);
    expect(one.requests[0]?.idempotencyKey).toEqual(other.requests[0]?.idempotencyKey);
  });

  it('may carry its name as its type', () => {
    expect(map(order(), { type: 'order.placed' })).toHaveProperty('requests');
  });

  it('with several faults has them all listed', () => {
    const mapped = map(order({ amount: 1.5, email: 'nobody', tickets: [], extra: 1 }), { type: 'order.paid' });
    if ('requests' in mapped) throw new Error('taken');
    expect(mapped.code).toBe('INVALID_REQUEST');
    expect(mapped.problems.map(({ path }) => path).toSorted()).toEqual([
      'data',
      'data.amount',
      'data.email',
      'data.tickets',
      'type',
    ]);
  });

  it('that the payment refuses is refused, with the place in the event', () => {
    const mapped = map(order({ amount: 0, currency: 'dollars' }));
    if ('requests' in mapped) throw new Error('taken');
    expect(mapped.problems.map(({ path }) => path).toSorted()).toEqual(['data.amount', 'data.currency']);
  });
});

describe('order.paid', () => {
  const paid = { name: 'order.paid', type: 'com.tickettoken.order.paid.v1' };
  const requestsOf = (data: CloudEvent['data'], id = 'event-1') => {
    const mapped = map(data, { ...paid, id });
    if (!('requests' in mapped)) throw new Error('refused');
    return mapped.requests;
  };

  it('asks for its receipt and for the record of the sale, each under a key made of the order', () => {
    const order = paidOrder({ orderId: 'o-1', transactionId: 't-1', paidAt: '2026-01-15T10:00:00Z' });
    const { eventId, userId, venueId, amount, currency, tickets, email } = order;
    expect(requestsOf(order)).toMatchObject([
      {
        type: { name: 'send-email' },
        idempotencyKey: { callers: true, key: 'order-o-1-receipt' },
        data: {
          to: email,
          template: 'order-receipt',
          data: { orderId: 'o-1', transactionId: 't-1', eventId, amount, currency, tickets },
        },
      },
      {
        type: { name: 'analytics-track' },
        idempotencyKey: { callers: true, key: 'order-o-1-analytics' },
        data: {
          eventType: 'order.paid',
          userId,
          venueId,
          eventId,
          data: { orderId: 'o-1', transactionId: 't-1', amount, currency, tickets: 1 },
          timestamp: '2026-01-15T10:00:00Z',
        },
      },
    ]);
  });

  it('has an identity for each of its jobs, and others in another event', () => {
    const order = paidOrder();
    const keys = ['a', 'b'].flatMap((id) => requestsOf(order, id).map(({ requestKey }) => requestKey));
    expect(new Set(keys).size).toBe(4);
    expect(requestsOf(order, 'a').map(({ requestKey }) => requestKey)).toEqual(keys.slice(0, 2));
  });

  it('told again asks for the same, whatever its envelope says of the time', () => {
    const order = paidOrder();
    expect(requestsOf(order)[1]?.data).not.toHaveProperty('timestamp');
  });

  it('hands on no address but to the receipt', () => {
    const order = paidOrder({ email: 'ada@example.com' });
    expect(JSON.stringify(requestsOf(order)[1]?.data)).not.toContain('ada@example');
  });

  it('that a job refuses is refused as a whole, with the places in the event', () => {
    const broken = { ...paidOrder(), amount: 0, currency: 'dollars', email: `${'a'.repeat(250)}@example.com` };
    const mapped = map(broken, paid);
    if ('requests' in mapped) throw new Error('taken');
    expect(mapped.problems.map(({ path }) => path).toSorted()).toEqual(['data.amount', 'data.currency', 'data.email']);
  });

  it('without its transaction is no order.paid', () => {
    expect(map(order(), paid)).toMatchObject({ problems: [{ path: 'data.transactionId' }] });
  });
});

describe('user.activity', () => {
  const type = 'com.tickettoken.user.activity.v1';
  const { activityId, ...data } = activity({ activityId: 'a-1' });

  it('asks for its record, under a key made of the activity', () => {
    expect(map({ activityId, ...data }, { name: 'user.activity', type })).toMatchObject({
      requests: [
        {
          type: { name: 'analytics-track' },
          data,
          idempotencyKey: { callers: true, key: 'activity-a-1-analytics' },
        },
      ],
    });
  });

  it('that cannot be recorded is refused, with the place in the event', () => {
    const mapped = map(activity({ eventType: 'a visit', data: { amount: 0.5 } }), { name: 'user.activity', type });
    if ('requests' in mapped) throw new Error('taken');
    expect(mapped.problems.map(({ path }) => path).toSorted()).toEqual(['data.data.amount', 'data.eventType']);
  });
});

describe('an event', () => {
  it.each(['order.unheard', 'constructor', '__proto__', ''])('named %j is not known', (name) => {
    expect(map(order(), { name })).toMatchObject({ code: 'UNKNOWN_EVENT' });
  });
});
