/** What those say who did what was asked for: the providers' own ledgers over HTTP, and the analytics tables. */
import { Client } from 'pg';
import { z } from 'zod';

const charges = z.object({
  charges: z.array(
    z.object({
      chargeId: z.string(),
      amount: z.int(),
      currency: z.string(),
      metadata: z.record(z.string(), z.string()),
      calls: z.int(),
    }),
  ),
});
export type ProviderCharge = z.infer<typeof charges>['charges'][number];

const mails = z.object({
  mails: z.array(
    z.object({ messageId: z.string(), jobId: z.string().optional(), to: z.string(), text: z.string().optional() }),
  ),
});
export type ProviderMail = z.infer<typeof mails>['mails'][number];

const recordedSale = z.object({ id: z.string(), venueId: z.string().nullable(), amount: z.number().nullable() });
const countedSales = z.object({ venue: z.string(), granularity: z.string(), events: z.number(), amount: z.number() });

/** What dashboards read: every sale, and the sales of each venue by minute and by day, each added up over all periods. */
export interface AnalyticsBooks {
  recorded: z.infer<typeof recordedSale>[];
  counted: z.infer<typeof countedSales>[];
}

const LIMIT_MS = 10_000;

export async function readCharges(url: string): Promise<ProviderCharge[]> {
  return (await readLedger(url, charges)).charges;
}

export async function readMails(url: string): Promise<ProviderMail[]> {
  return (await readLedger(url, mails)).mails;
}

export async function readAnalytics(databaseUrl: string): Promise<AnalyticsBooks> {
  const limits = { connectionTimeoutMillis: LIMIT_MS, statement_timeout: LIMIT_MS, query_timeout: LIMIT_MS };
  const client = new Client({ connectionString: databaseUrl, ...limits });
  await client.connect();
  try {
    const recorded = await client.query(RECORDED);
    const counted = await client.query(COUNTED);
    return { recorded: z.array(recordedSale).parse(recorded.rows), counted: z.array(countedSales).parse(counted.rows) };
  } finally {
    await client.end();
  }
}

const RECORDED = `
  SELECT id, venue_id AS "venueId", amount::int FROM analytics_events WHERE event_type = 'order.paid'`;

const COUNTED = `
  SELECT venue, granularity, sum(events)::int AS events, sum(amount_sum)::int AS amount
  FROM analytics_rollups WHERE event_type = 'order.paid' GROUP BY venue, granularity`;

async function readLedger<Ledger>(url: string, schema: z.ZodType<Ledger>): Promise<Ledger> {
  const answer = await fetch(new URL('/_sandbox/ledger', url), { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!answer.ok) throw new Error(`the ledger at ${url} answers ${answer.status}`);
  return schema.parse(await answer.json());
}
