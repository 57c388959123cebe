import knexFactory from 'knex';
import { createInboxTable, createOutboxTable, knexInbox, QueueClient } from '../../src/client';

export async function startOrderService(amqpUrl: string, databaseUrl: string) {
  const knex = knexFactory({ client: 'pg', connection: databaseUrl });
  const queue = QueueClient.open({ amqpUrl, source: '/order-service' });

  // Once, in a migration; `dropOutboxTable` and `dropInboxTable` are the way back.
  await createOutboxTable(knex, 'queue_outbox');
  await createInboxTable(knex, 'queue_inbox');

  // Publishes what transactions left behind. Start it in every process: one of them publishes.
  queue.startRelay({ databaseUrl });

  const answers = queue.onOutcome(
    async (outcome, { transaction }) => {
      if (outcome.type !== 'payment-process') return;
      const order = transaction('orders').where({ id: outcome.correlationId });
      if (outcome.outcome === 'completed') await order.update({ state: 'paid', charge: outcome.result.chargeId });
      if (outcome.outcome === 'failed' || outcome.outcome === 'rejected') {
        await order.update({ state: 'refused', reason: outcome.error.code });
      }
    },
    { queue: 'order-service.outcomes', inbox: knexInbox(knex, 'queue_inbox') },
  );
  await answers.ready();

  return {
    /** The order and the wish to charge it commit together, or neither does; the broker may be away. */
    async place(order: { id: string; userId: string; venueId: string; eventId: string; amount: number; card: string }) {
      const { id, card, ...payment } = order;
      await knex.transaction(async (transaction) => {
        await transaction('orders').insert({ id, state: 'placed' });
        await queue.publishInTransaction(
          transaction,
          'payment-process',
          { ...payment, paymentMethod: card },
          { idempotencyKey: `order-${id}-payment`, correlationId: id },
        );
      });
    },
    async stop() {
      await queue.close();
      await knex.destroy();
    },
  };
}
