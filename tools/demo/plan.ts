/** The sale before it begins: every message that will be published, in order, chosen by one seed. */
import { altered, jobRequest, makeOrder, orderPlaced, paymentRequest, type Message, type Order } from './messages';
import { SeededRandom } from './random';
import type { Kind, PublishedRecord } from './records';

/** A message with what its publisher knows about it. */
export interface PlannedMessage {
  message: Message;
  record: Omit<PublishedRecord, 'publishedAt' | 'confirmedAt'>;
  /** Published only after this request was answered, as a person would who tries again. */
  afterAnswerTo?: string;
}

export interface Plan {
  messages: PlannedMessage[];
  orders: number;
}

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

interface Sold {
  order: Order;
  planned: PlannedMessage;
}

/** @param sale begins the id of every order */
export function makePlan(sale: string, seed: number, orders: number): Plan {
  const random = new SeededRandom(seed);
  const sold = Array.from({ length: orders }, (_, index) => sell(random, sale, index + 1));
  const paid = sold.filter(({ planned }) => planned.record.kind !== 'declined card');
  const declined = sold.filter(({ planned }) => planned.record.kind === 'declined card');
  const some = (share: number): number => Math.max(1, Math.round(orders * share));

  const spread = new Spread(sold.map(({ planned }) => planned));
  for (const one of random.sample(sold, some(0.04))) spread.soonAfter(one.planned, sameMessageAgain(one.planned));
  const shared = random.sample(paid, some(0.06));
  shared.forEach((one, index) => {
    const again = sameKeyAgain(random, one);
    // One half while the first is under way, the other after it was answered.
    if (index % 2 === 0) spread.soonAfter(one.planned, again);
    else spread.soonAfter(one.planned, { ...again, ...after(one) });
  });
  const [other] = random.sample(
    paid.filter((one) => !shared.includes(one)),
    1,
  );
  if (other) spread.soonAfter(other.planned, { ...keyConflict(random, other), ...after(other) });
  for (const one of random.sample(declined, some(0.01))) {
    spread.soonAfter(one.planned, { ...secondCard(random, one), ...after(one) });
  }
  for (const bad of malformed(random, sale)) spread.anywhere(random, bad);
  return { messages: spread.messages, orders };
}

/** The messages in their order of publication. */
class Spread {
  constructor(readonly messages: PlannedMessage[]) {}

  soonAfter(first: PlannedMessage, next: PlannedMessage): void {
    this.messages.splice(this.messages.indexOf(first) + 1, 0, next);
  }

  anywhere(random: SeededRandom, planned: PlannedMessage): void {
    this.messages.splice(random.integer(0, this.messages.length), 0, planned);
  }
}

function sell(random: SeededRandom, sale: string, number: number): Sold {
  const isDeclined = random.next() < DECLINED_SHARE;
  const [card, code] = isDeclined ? random.pick(DECLINED_CARDS) : [GOOD_CARD, null];
  const order = makeOrder(random, sale, number, card);
  const byEvent = random.next() < EVENT_SHARE;
  const kind = isDeclined ? 'declined card' : byEvent ? 'order.placed' : 'payment-process';
  return { order, planned: aboutOrder(kind, order, ask(byEvent, random.uuid(), order), code) };
}

function ask(byEvent: boolean, id: string, order: Order): Message {
  return byEvent ? orderPlaced(id, order) : paymentRequest(id, order);
}

function sameMessageAgain({ message, record }: PlannedMessage): PlannedMessage {
  return { message, record: { ...record, kind: 'same message again', code: null } };
}

function sameKeyAgain(random: SeededRandom, { order }: Sold): PlannedMessage {
  return aboutOrder('same key again', order, ask(random.next() < EVENT_SHARE, random.uuid(), order));
}

function keyConflict(random: SeededRandom, { order }: Sold): PlannedMessage {
  const dearer = { ...order, amount: order.amount + 100 };
  return aboutOrder('key conflict', dearer, paymentRequest(random.uuid(), dearer), 'IDEMPOTENCY_CONFLICT');
}

function secondCard(random: SeededRandom, { order }: Sold): PlannedMessage {
  const retried = { ...order, paymentMethod: GOOD_CARD };
  return aboutOrder('second card', retried, ask(random.next() < EVENT_SHARE, random.uuid(), retried));
}

function after({ planned }: Sold): { afterAnswerTo: string } {
  return { afterAnswerTo: planned.message.messageId };
}

function aboutOrder(kind: Kind, order: Order, message: Message, code: string | null = null): PlannedMessage {
  const { orderId, amount, currency } = order;
  const { messageId } = message;
  return {
    message,
    record: { messageId, requestId: messageId, kind, order: orderId, amount, currency, code, problemAt: null },
  };
}

/** What bad programs send. */
function malformed(random: SeededRandom, sale: string): PlannedMessage[] {
  const order = makeOrder(random, sale, 0, GOOD_CARD);
  const id = (): string => random.uuid();
  const sound = () => paymentRequest(id(), order);
  const event = () => orderPlaced(id(), order);
  const cut = (message: Message): Message => altered(message, { body: message.body.slice(0, -random.integer(2, 200)) });
  return [
    bad('not JSON', cut(sound()), 'UNREADABLE', '(body)'),
    bad('not JSON', altered(sound(), { body: `order ${id()}, please` }), 'UNREADABLE', '(body)'),
    bad('not JSON', cut(event()), 'UNREADABLE', '(body)'),
    bad('schema error', paymentRequest(id(), { ...order, amount: -1 }), 'INVALID_REQUEST', 'data.data.amount'),
    bad('schema error', jobRequest(id(), 'payment-process', {}), 'INVALID_REQUEST', 'data.data.userId'),
    bad('schema error', orderPlaced(id(), { ...order, tickets: [] }), 'INVALID_REQUEST', 'data.tickets'),
    bad('schema error', altered(sound(), { contentType: 'text/plain' }), 'UNREADABLE', '(content-type)'),
    bad('unknown type', jobRequest(id(), 'payment-proces', { orderId: order.orderId }), 'UNKNOWN_TYPE', 'data.type'),
    bad('unknown type', jobRequest(id(), 'ticket-upgrade', {}), 'UNKNOWN_TYPE', 'data.type'),
    bad(
      'wrong routing key',
      altered(sound(), { routingKey: 'background.payment-process' }),
      'WRONG_QUEUE',
      '(routing key)',
    ),
    bad('wrong routing key', altered(sound(), { routingKey: 'payments' }), 'WRONG_QUEUE', '(routing key)'),
  ];
}

function bad(kind: Kind, message: Message, code: string, problemAt: string): PlannedMessage {
  const { messageId } = message;
  const requestId = kind === 'not JSON' ? null : messageId;
  return {
    message,
    record: { messageId, requestId, kind, order: null, amount: 0, currency: 'USD', code, problemAt },
  };
}
