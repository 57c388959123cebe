/**
 * A small service beside ours, as any team would write it: it speaks through the client package and through nothing else.
 * It asks for the charge of every order, and says so when one is paid.
 */
import { QueueClient, type Outcome, type OutcomeOf } from '../../../src/client';
import { paymentKeyOf, paymentOf, type Order } from './orders';
import type { PlacedOrder } from './plan';
import type { PublicationLog } from './publication-log';
import type { NewRecord } from '../records';

const SOURCE = '/order-service';
const QUEUE = 'order-service.outcomes';

type PaymentResult = Extract<OutcomeOf<'payment-process'>, { outcome: 'completed' }>['result'];

export class OrderService {
  /** By the request that asked for the charge: an order that was declined may be asked for again, with another card. */
  private readonly orders = new Map<string, Order>();

  private constructor(
    private readonly queue: QueueClient,
    private readonly log: PublicationLog,
  ) {}

  static async open(amqpUrl: string, log: PublicationLog): Promise<OrderService> {
    const queue = QueueClient.open({ amqpUrl, source: SOURCE });
    const service = new OrderService(queue, log);
    const outcomes = queue.onOutcome((outcome) => service.react(outcome), { queue: QUEUE });
    await Promise.all([queue.ready(), outcomes.ready()]);
    return service;
  }

  /** Asks for the charge; resolves once the broker has the request. */
  async place({ as, id, order, record }: PlacedOrder): Promise<void> {
    this.orders.set(id, order);
    const options = { id, correlationId: order.orderId };
    await this.log.confirmed(record, () =>
      as === 'order.placed'
        ? this.queue.publishEvent('order.placed', order, options)
        : this.queue.publish('payment-process', paymentOf(order), { ...options, idempotencyKey: paymentKeyOf(order) }),
    );
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  /** Comes again when it fails, or when the process dies before it has ended. */
  private async react(outcome: Outcome): Promise<void> {
    if (outcome.type !== 'payment-process' || outcome.outcome !== 'completed') return;
    const order = this.orders.get(outcome.requestId ?? '');
    if (!order) throw new Error(`request ${outcome.requestId} was paid, but never made`);
    await this.tellPaid(order, outcome.result);
  }

  /** An id made of the order's, and all that it says of the outcome's: told again it is the same event. */
  private async tellPaid(order: Order, { transactionId, processedAt }: PaymentResult): Promise<void> {
    const id = `${order.orderId}-paid`;
    await this.log.confirmed(paidRecord(id, order), () =>
      this.queue.publishEvent(
        'order.paid',
        { ...order, transactionId, paidAt: processedAt },
        { id, correlationId: order.orderId },
      ),
    );
  }
}

function paidRecord(id: string, { orderId, amount, currency, email, venueId }: Order): NewRecord {
  const facts = { messageId: id, requestId: id, order: orderId, amount, currency, sale: { email, venueId } };
  return { ...facts, kind: 'order.paid', code: null, problemAt: null };
}
