/** queue-service in a process of its own, a broker that imported the topology, and a plain service beside them. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestEnvironment, managementCall } from './harness/environment';
import { PlainService, type Heard } from './plain-service';
import { startStripeSandbox, type StripeSandbox } from './sandbox/stripe/sandbox';
import { ServiceProcess } from './service-process';

/** With characters that a routing key cannot carry as they are. */
const SOURCE = '/shop/orders.v2/';
const DEFINITIONS: unknown = JSON.parse(
  readFileSync(path.resolve(__dirname, '../../topology/definitions.json'), 'utf8'),
);
export const PAYMENT = 'money.payment-process';

export interface PlainStage {
  shop: PlainService;
  stripe: StripeSandbox;
  close: () => Promise<void>;
}

export async function openPlainStage(): Promise<PlainStage> {
  const stripe = await startStripeSandbox();
  const environment = await createTestEnvironment(stripe.url);
  const amqpUrl = environment.variables['AMQP_URL'] ?? '';
  // As an administrator of the broker would: nobody need wait for anybody's start.
  await managementCall('POST', `/api/definitions${new URL(amqpUrl).pathname}`, DEFINITIONS);
  const shop = await PlainService.open(amqpUrl, SOURCE);
  const queueService = new ServiceProcess('src/main.ts', environment.variables);
  return {
    shop,
    stripe,
    close: async () => {
      await shop.close();
      await queueService.end();
      await environment.remove();
      await stripe.close();
    },
  };
}

export function payment(over: Record<string, unknown> = {}): Record<string, unknown> {
  const [userId, venueId, eventId] = [randomUUID(), randomUUID(), randomUUID()];
  return { userId, venueId, eventId, amount: 10_000, currency: 'USD', paymentMethod: 'pm_card_visa', ...over };
}

/** The properties of AMQP say what the event says. */
export function expectCarried({ event, routingKey, properties }: Heard, key: string): void {
  expect(event.type).toBe(`com.tickettoken.job.${event.data.outcome}.v1`);
  expect(event.subject).toBe(event.data.jobId ?? undefined);
  expect(event.correlationid).toBe(event.data.correlationId ?? undefined);
  expect(routingKey).toBe(key);
  expect(properties).toMatchObject({
    contentType: 'application/cloudevents+json',
    deliveryMode: 2,
    messageId: event.id,
    type: event.type,
    correlationId: event.correlationid,
  });
  expect(properties.headers?.['traceparent']).toBe(event.traceparent);
}

/** All that was heard: whatever was not as the contract says, or of two minds under one id. */
export async function faultsIn(shop: PlainService): Promise<string[]> {
  await Promise.all(shop.own.map((heard) => shop.hasOverheard(heard)));
  const byId = new Map<string, string>();
  const faults = [...shop.strange];
  for (const { event } of [...shop.own, ...shop.overheard]) {
    const body = JSON.stringify(event);
    if ((byId.get(event.id) ?? body) !== body) faults.push(`${event.id} stands for two`);
    byId.set(event.id, body);
  }
  return byId.size === 0 ? ['nothing was heard'] : faults;
}
