/** The sale before it begins: everything that will be asked for, in order, chosen by one seed. */
import type { HandwrittenMessage } from './box-office-messages';
import { malformedRequests } from './malformed';
import { makeOrder, type Order } from './orders';
import { SeededRandom } from './random';
import type { Kind, NewRecord } from '../records';

/** An order as the order service asks for its charge, by a domain event or directly. */
export interface PlacedOrder {
  by: 'order service';
  as: 'order.placed' | 'payment-process';
  /** The message's id. */
  id: string;
  order: Order;
  record: NewRecord;
  /** Asked for only after this request was answered, as a person would who tries again. */
  afterAnswerTo?: string;
}

export interface HandwrittenRequest {
  by: 'box office';
  message: HandwrittenMessage;
  record: NewRecord;
  afterAnswerTo?: never;
}

export type PlannedRequest = PlacedOrder | HandwrittenRequest;

/** A card that the bank declines, and the code with which it does. */
type CardAndCode = [card: string, code: string];

const GOOD_CARD = 'pm_card_visa';
const DECLINED_CARDS: readonly [CardAndCode, ...CardAndCode[]] = [
  ['pm_card_chargeDeclined', 'generic_decline'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ['pm_card_chargeDeclinedFraudulent', 'fraudulent'],
  ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
];
const DECLINED_SHARE = 0.08;
const EVENT_SHARE = 0.6;

/** @param sale begins the id of every order */
export function makePlan(sale: string, seed: number, orders: number): PlannedRequest[] {
  const random = new SeededRandom(seed);
  const placed = Array.from({ length: orders }, (_, index) => place(random, sale, index + 1));
  const good = placed.filter(({ record }) => record.kind !== 'declined card');
  const declined = placed.filter(({ record }) => record.kind === 'declined card');
  const some = (share: number): number => Math.max(1, Math.round(orders * share));

  const spread = new Spread(placed);
  for (const one of random.sample(placed, some(0.04))) spread.soonAfter(one, sameMessageAgain(one));
  const shared = random.sample(good, some(0.06));
  shared.forEach((one, index) => {
    const again = sameKeyAgain(random, one);
    // One half while the first is under way, the other after it was answered.
    spread.soonAfter(one, index % 2 === 0 ? again : { ...again, afterAnswerTo: one.id });
  });
  const [other] = random.sample(
    good.filter((one) => !shared.includes(one)),
    1,
  );
  if (other) spread.soonAfter(other, { ...keyConflict(random, other), afterAnswerTo: other.id });
  for (const one of random.sample(declined, some(0.01))) {
    spread.soonAfter(one, { ...secondCard(random, one), afterAnswerTo: one.id });
  }
  for (const bad of malformedRequests(random, sale, GOOD_CARD)) spread.anywhere(random, bad);
  return spread.requests;
}

/** The requests in the order in which they are made. */
class Spread {
  readonly requests: PlannedRequest[];

  constructor(placed: PlacedOrder[]) {
    this.requests = [...placed];
  }

  soonAfter(first: PlacedOrder, next: PlannedRequest): void {
    this.requests.splice(this.requests.indexOf(first) + 1, 0, next);
  }

  anywhere(random: SeededRandom, planned: PlannedRequest): void {
    this.requests.splice(random.integer(0, this.requests.length), 0, planned);
  }
}

function place(random: SeededRandom, sale: string, number: number): PlacedOrder {
  const isDeclined = random.next() < DECLINED_SHARE;
  const [card, code] = isDeclined ? random.pick(DECLINED_CARDS) : [GOOD_CARD, null];
  const order = makeOrder(random, sale, number, card);
  const as = wayOf(random);
  return asked(isDeclined ? 'declined card' : as, as, random.uuid(), order, code);
}

function sameMessageAgain({ record, ...placed }: PlacedOrder): PlacedOrder {
  return { ...placed, record: { ...record, kind: 'same message again', code: null } };
}

function sameKeyAgain(random: SeededRandom, { order }: PlacedOrder): PlacedOrder {
  return asked('same key again', wayOf(random), random.uuid(), order);
}

function keyConflict(random: SeededRandom, { order }: PlacedOrder): PlacedOrder {
  const dearer = { ...order, amount: order.amount + 100 };
  return asked('key conflict', 'payment-process', random.uuid(), dearer, 'IDEMPOTENCY_CONFLICT');
}

function secondCard(random: SeededRandom, { order }: PlacedOrder): PlacedOrder {
  return asked('second card', wayOf(random), random.uuid(), { ...order, paymentMethod: GOOD_CARD });
}

function wayOf(random: SeededRandom): PlacedOrder['as'] {
  return random.next() < EVENT_SHARE ? 'order.placed' : 'payment-process';
}

function asked(kind: Kind, as: PlacedOrder['as'], id: string, order: Order, code: string | null = null): PlacedOrder {
  const { orderId, amount, currency } = order;
  const facts = { messageId: id, requestId: id, kind, order: orderId, amount, currency, sale: null };
  return { by: 'order service', as, id, order, record: { ...facts, code, problemAt: null } };
}
