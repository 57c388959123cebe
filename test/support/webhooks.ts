import type { Pool } from 'pg';
import { z } from 'zod';
import type { Service } from '../../src/service';
import { addressOf } from './api-client';
import { eventually, type TestBus } from './harness';
import { EventKey } from './sandbox/sendgrid/events';
import { AUTH_TOKEN } from './sandbox/twilio/emulator';

export const STRIPE_WEBHOOK_SECRET = 'whsec_of_tests';
/** A second one, as while the first is exchanged. */
export const OTHER_STRIPE_SECRET = 'whsec_of_tests_later';
export const sendgridKey = new EventKey();
/** What Twilio calls, whatever stands between it and the service. */
export const PUBLIC_URL = 'https://queue.example.com';

/** What the service needs in its environment to take webhooks of every provider. */
export const webhookVariables: Record<string, string> = {
  STRIPE_WEBHOOK_SECRET: `${STRIPE_WEBHOOK_SECRET},${OTHER_STRIPE_SECRET}`,
  SENDGRID_WEBHOOK_PUBLIC_KEY: sendgridKey.publicKey,
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  PUBLIC_URL,
};

/** Where a service of this process takes webhooks. */
export function endpointOf(service: Service, provider: 'stripe' | 'sendgrid' | 'twilio'): string {
  return `${addressOf(service)}/api/v1/queue/provider-webhooks/${provider}`;
}

const kept = z.object({
  event: z.string(),
  event_id: z.string(),
  job_id: z.string().nullable(),
  code: z.string().nullable(),
});

/** What was kept of webhooks. */
export class WebhookRows {
  constructor(private readonly pool: Pool) {}

  /** Jobs that were made of reports; none is forgotten. */
  async taken(): Promise<number> {
    const { rows } = await this.pool.query(
      `SELECT count(*)::int AS count FROM critical_jobs WHERE job_type = 'webhook-process'`,
    );
    return z.array(z.object({ count: z.int() })).parse(rows)[0]?.count ?? 0;
  }

  /** Reports that were taken and have not been taken in. */
  async open(): Promise<number> {
    const { rows } = await this.pool.query(
      `SELECT FROM critical_jobs WHERE job_type = 'webhook-process' AND finished_at IS NULL`,
    );
    return rows.length;
  }

  /** Jobs that were made of one event, that are or were there. */
  async takenOf(eventId: string): Promise<number> {
    const { rows } = await this.pool.query('SELECT FROM critical_jobs WHERE request_id = $1', [eventId]);
    return rows.length;
  }

  async kept(eventId: string): Promise<z.infer<typeof kept>[]> {
    const { rows } = await this.pool.query(
      'SELECT event, event_id, job_id, code FROM provider_webhook_events WHERE event_id = $1',
      [eventId],
    );
    return z.array(kept).parse(rows);
  }

  untilKept(eventId: string): Promise<z.infer<typeof kept>> {
    return eventually(`event ${eventId} is kept`, async () => (await this.kept(eventId))[0]);
  }
}

const announced = z.looseObject({ id: z.string(), type: z.string(), data: z.record(z.string(), z.unknown()) });

/** Hears the domain events that the service publishes itself, in order. */
export async function hearEvents(
  bus: TestBus,
  pattern: string,
): Promise<(z.infer<typeof announced> & { key: string })[]> {
  const heard: (z.infer<typeof announced> & { key: string })[] = [];
  const { queue } = await bus.channel.assertQueue('', { exclusive: true });
  await bus.channel.bindQueue(queue, 'platform.events', pattern);
  await bus.channel.consume(
    queue,
    (message) => {
      if (message)
        heard.push({ ...announced.parse(JSON.parse(message.content.toString())), key: message.fields.routingKey });
    },
    { noAck: true },
  );
  return heard;
}
