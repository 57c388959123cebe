import { QUEUES } from '../../src/contract/names';
import { prepareEvent, prepareRequest } from '../../src/client/message';
import { readMessage } from '../../src/intake/read-message';
import { paymentKeyOf, paymentOf } from '../../tools/demo/sale/orders';
import { makePlan, type PlacedOrder, type PlannedRequest } from '../../tools/demo/sale/plan';
import { KINDS, type Kind } from '../../tools/demo/records';

const ORDERS = 200;

describe('the plan of the demo', () => {
  const plan = makePlan('sale', 11, ORDERS);
  const placed = plan.filter((planned) => planned.by === 'order service');

  it('makes the same choices from the same seed, and others from another', () => {
    const choices = (seed: number) => makePlan('sale', seed, ORDERS).map(({ record }) => record);
    expect(choices(11)).toEqual(plan.map(({ record }) => record));
    expect(choices(12)).not.toEqual(plan.map(({ record }) => record));
  });

  it('holds every kind of request, but for what is only said when an order is paid', () => {
    const kinds = new Set<string>(plan.map(({ record }) => record.kind));
    expect([...kinds, 'order.paid'].sort()).toEqual(Object.keys(KINDS).sort());
  });

  it('repeats a request under its id and with its content, and never before the first', () => {
    const repeats = placed.filter(({ record }) => record.kind === 'same message again');
    expect(repeats.length).toBeGreaterThan(0);
    for (const again of repeats) {
      const first = placed.find(({ id }) => id === again.id);
      expect(placed.indexOf(again)).toBeGreaterThan(placed.findIndex(({ id }) => id === again.id));
      expect([first?.as, first?.order]).toEqual([again.as, again.order]);
    }
  });

  it('waits only for requests that were made before', () => {
    for (const [index, { afterAnswerTo }] of placed.entries()) {
      if (afterAnswerTo === undefined) continue;
      const first = placed.findIndex(({ id }) => id === afterAnswerTo);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(first).toBeLessThan(index);
    }
  });

  it('is sound where it means to be', () => {
    for (const one of placed) expect(read(one)).toHaveProperty('offers');
  });

  it('has nothing written by hand but what is malformed', () => {
    const kinds = new Set(plan.filter(({ by }) => by === 'box office').map(({ record }) => record.kind));
    expect([...kinds].sort()).toEqual([...malformed].sort());
  });

  const malformed: Kind[] = ['not JSON', 'schema error', 'unknown type', 'wrong routing key'];

  it.each(malformed)('is malformed where it means to be, as the intake sees it: %s', (kind) => {
    const planned = plan.filter(({ record }) => record.kind === kind);
    expect(planned.length).toBeGreaterThan(0);
    for (const one of planned) {
      const { code, problemAt, requestId } = one.record;
      const message = read(one);
      expect(message).toMatchObject({ rejection: { code, requestId: requestId ?? undefined } });
      const places = 'rejection' in message ? message.rejection.problems.map(({ path }) => path) : [];
      expect(places).toContain(problemAt);
    }
  });
});

/** As the intake reads what comes of it. */
function read(planned: PlannedRequest) {
  const { exchange, routingKey, body, contentType } = planned.by === 'box office' ? planned.message : sent(planned);
  const queue = exchange === 'platform.events' ? QUEUES.domainEvents : QUEUES.requests.money;
  return readMessage({ queue, routingKey, content: Buffer.from(body), contentType, headers: {} });
}

function sent({ as, id, order }: PlacedOrder) {
  if (as === 'order.placed') return prepareEvent('/order-service', as, order, { id });
  return prepareRequest('/order-service', as, paymentOf(order), { id, idempotencyKey: paymentKeyOf(order) });
}
