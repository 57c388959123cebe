/** What Stripe reports: taken once, believed by the object's state of now, and told to the job that it is about. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Service } from '../../../src/service';
import { Doubts } from '../../support/doubt';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { sendEvent, type StripeEvent } from '../../support/sandbox/stripe/events';
import { endpointOf, hearEvents, STRIPE_WEBHOOK_SECRET, WebhookRows, webhookVariables } from '../../support/webhooks';

let harness: Harness;
let service: Service;
let rows: MoneyRows;
let webhooks: WebhookRows;
let doubts: Doubts;
let heard: Awaited<ReturnType<typeof hearEvents>>;
/** The answer of the next call is kept from whoever made it until this opens. */
let holding: ReturnType<typeof gate> | undefined;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  webhooks = new WebhookRows(harness.environment.pool);
  doubts = new Doubts(harness, rows);
  heard = await hearEvents(harness.bus, '#');
  const decorate = around({
    'call provider': async (run) => {
      const answer = await run();
      await holding?.opened;
      return answer;
    },
  });
  service = await harness.startService({ decorate }, quick, webhookVariables);
});
afterAll(() => harness?.close());
afterEach(() => harness.stripe.clearFaults());

const endpoint = () => ({ url: endpointOf(service, 'stripe'), secret: STRIPE_WEBHOOK_SECRET });
/** Sends the latest event of a type about an object, and waits until it has been taken in. */
async function tell(type: string, about: string): Promise<StripeEvent> {
  const event = harness.stripe.events.find(type, about);
  expect(await sendEvent(event, endpoint())).toBe(200);
  await webhooks.untilKept(event.id);
  return event;
}
const saidOf = (reference: string) =>
  heard.filter(({ data }) => Object.values(data).includes(reference)).map(({ key }) => key);
const hear = (what: string, reference: string, count: number) =>
  eventually(what, () => {
    const said = saidOf(reference);
    return said.length >= count ? said : undefined;
  });
async function paid(over: Record<string, unknown> = {}) {
  const requestId = await harness.bus.request({ type: 'payment-process', data: payment(over) });
  const { data } = await harness.bus.outcomeOf(requestId, 'completed');
  const charge = harness.stripe.ledger().find(({ metadata }) => metadata['job_id'] === data.jobId);
  return { jobId: data.jobId ?? '', intent: charge?.paymentIntentId ?? '', chargeId: charge?.chargeId ?? '' };
}

describe('a payment in doubt', () => {
  it('that happened is settled by its webhook, sent three times at once: one outcome, one charge, one event', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    const [charge] = doubts.charges(jobId);
    const event = harness.stripe.events.find('payment_intent.succeeded', charge?.paymentIntentId ?? '');

    const statuses = await Promise.all([1, 2, 3].map(() => sendEvent(event, endpoint())));

    expect(statuses).toEqual([200, 200, 200]);
    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data.result).toMatchObject({ paymentIntentId: charge?.paymentIntentId, chargeId: charge?.chargeId });
    await hear('the payment succeeded', charge?.paymentIntentId ?? '', 1);
    expect(await webhooks.kept(event.id)).toMatchObject([{ event: 'payment_intent.succeeded', job_id: jobId }]);
    expect(doubts.charges(jobId)).toHaveLength(1);
    expect(await rows.outcomes(jobId)).toEqual(['attention', 'completed']);
    expect(saidOf(charge?.paymentIntentId ?? '')).toEqual(['payment.succeeded']);
    expect(heard.find(({ key }) => key === 'payment.succeeded')?.data).toMatchObject({ transactionId: jobId });
  });

  it('that was declined ends as not happened, by the word of the provider, and can not happen any more', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const data = payment({ paymentMethod: 'pm_card_chargeDeclined' });
    const requestId = await harness.bus.request({ type: 'payment-process', data, options: { attempts: 1 } });
    const { data: doubt } = await harness.bus.outcomeOf(requestId, 'attention');
    const jobId = doubt.jobId ?? '';
    await rows.age(jobId, 1);
    const intent = harness.stripe.events.latestOf(jobId)?.about ?? '';

    await tell('payment_intent.payment_failed', intent);

    const { data: failed } = await harness.bus.outcomeOf(requestId, 'failed');
    expect(failed.error).toMatchObject({ code: 'generic_decline', replayable: true });
    expect(await doubts.decisions(jobId)).toMatchObject([{ decided_by: 'stripe', happened: false, next: 'fail' }]);
    expect(harness.stripe.events.find('payment_intent.canceled', intent)).toBeDefined();
    expect(await hear('the payment failed', intent, 1)).toEqual(['payment.failed']);
  });
});

it('a report waits for the job that it is about, while that runs and could settle by what it knew before', async () => {
  holding = gate();
  const requestId = await harness.bus.request({ type: 'payment-process', data: payment() });
  const job = await rows.until('it runs', requestId, ({ status }) => status === 'processing');
  const { event } = await eventually('it is charged', () => harness.stripe.events.latestOf(job.id));

  expect(await sendEvent(event, endpoint())).toBe(200);
  await rows.until('the report waits', event.id, ({ reason }) => reason === 'JOB_RUNNING');
  expect(await webhooks.kept(event.id)).toEqual([]);
  holding.open(undefined);
  holding = undefined;

  await harness.bus.outcomeOf(requestId, 'completed');
  expect(await webhooks.untilKept(event.id)).toMatchObject({ job_id: job.id });
  expect(await rows.outcomes(job.id)).toEqual(['completed']);
});

describe('a payment that waits for its customer (3-D Secure)', () => {
  const held = async () => {
    const data = payment({ paymentMethod: 'pm_card_authenticationRequired' });
    const requestId = await harness.bus.request({ type: 'payment-process', data, idempotencyKey: randomUUID() });
    const { data: attention } = await harness.bus.outcomeOf(requestId, 'attention');
    const intent = attention.error?.details?.find(({ path }) => path === 'reference')?.message ?? '';
    const jobId = attention.jobId ?? '';
    // As after many looks: the next would be in an hour.
    await rows.until('it waits', requestId, ({ status }) => status === 'pending');
    await harness.environment.pool.query(
      `UPDATE critical_jobs SET run_at = now() + interval '1 hour', dispatch = dispatch + 1 WHERE id = $1`,
      [jobId],
    );
    return { requestId, jobId, intent };
  };

  it('is completed when the webhook says so, and not when it would have looked again', async () => {
    const { requestId, jobId, intent } = await held();
    harness.stripe.authenticate(intent, true);
    await tell('payment_intent.succeeded', intent);
    expect((await harness.bus.outcomeOf(requestId, 'completed')).data.jobId).toBe(jobId);
    expect(doubts.charges(jobId)).toHaveLength(1);
  });

  it('fails when the webhook says that the customer failed', async () => {
    const { requestId, jobId, intent } = await held();
    harness.stripe.authenticate(intent, false);
    await tell('payment_intent.payment_failed', intent);
    const { data } = await harness.bus.outcomeOf(requestId, 'failed');
    expect(data.error).toMatchObject({ code: 'payment_intent_authentication_failure' });
    expect(doubts.charges(jobId)).toEqual([]);
  });
});

describe('the order in which reports come', () => {
  it('tells nothing: a refund that is reported before its payment is told after it, each once', async () => {
    const { jobId, intent } = await paid();
    const refund = { transactionId: jobId, amount: 10_000, reason: 'requested_by_customer' };
    const { rows: found } = await harness.environment.pool.query(
      `SELECT data->>'userId' AS "userId", data->>'venueId' AS "venueId" FROM critical_jobs WHERE id = $1`,
      [jobId],
    );
    const asked = await harness.bus.request({ type: 'refund-process', data: { ...refund, ...found[0] } });
    await harness.bus.outcomeOf(asked, 'completed');

    await tell('charge.refunded', intent);
    await tell('payment_intent.succeeded', intent);
    await tell('refund.created', intent);

    expect(await hear('both are told', intent, 2)).toEqual(['payment.succeeded', 'payment.refunded']);
    const { data } = heard.find(({ key }) => key === 'payment.refunded') ?? {};
    expect(data).toMatchObject({ transactionId: jobId, refunded: 10_000, isWhole: true, currency: 'USD' });
  });

  it('tells nothing: a failure that is reported after the success is told as the success that it has become', async () => {
    const { jobId, intent } = await paid();
    const stale = { ...harness.stripe.events.find('payment_intent.succeeded', intent), id: `evt_${randomUUID()}` };
    const event = { ...stale, type: 'payment_intent.payment_failed' };
    expect(await sendEvent(event, endpoint())).toBe(200);
    expect(await webhooks.untilKept(event.id)).toMatchObject({ job_id: jobId });
    expect(await hear('the success', intent, 1)).toEqual(['payment.succeeded']);
  });
});

it('a disputed payment is told of, with what is claimed', async () => {
  const { jobId, intent } = await paid();
  const dispute = harness.stripe.dispute(intent);
  await tell('charge.dispute.created', dispute);
  await hear('the dispute', dispute, 1);
  expect(heard.find(({ key }) => key === 'payment.disputed')?.data).toEqual({
    provider: 'stripe',
    paymentIntentId: intent,
    transactionId: jobId,
    disputeId: dispute,
    amount: 10_000,
    currency: 'USD',
    reason: 'fraudulent',
    status: 'needs_response',
  });
});

describe('a payout', () => {
  const payOut = async (bankAccountId: string, fault?: string) => {
    harness.stripe.setAvailable('acct_sandbox', 'usd', 1_000_000);
    if (fault !== undefined) harness.stripe.fault({ kind: 'lose-answer', match: { method: 'POST', path: fault } });
    const data = { venueId: randomUUID(), amount: 100, accountId: 'acct_venue', bankAccountId, type: 'standard' };
    const request = { type: 'payout-process', data: { ...data, period: '2026-01' }, options: { attempts: 1 } };
    const requestId = await harness.bus.request(request);
    const { data: outcome } = await harness.bus.outcomeOf(requestId, fault === undefined ? 'completed' : 'attention');
    const jobId = outcome.jobId ?? '';
    return {
      requestId,
      jobId,
      of: <One extends { metadata: Record<string, string> }>(all: One[]) =>
        all.find(({ metadata }) => metadata['job_id'] === jobId),
    };
  };

  it.each([
    ['transfer', '/v1/transfers', 'transfer.created'],
    ['payout', '/v1/payouts', 'payout.created'],
  ])('in doubt about its %s goes on when that is reported', async (_, path, type) => {
    const { requestId, of } = await payOut('ba_venue', path);
    const about =
      type === 'transfer.created' ? of(harness.stripe.transfers())?.transferId : of(harness.stripe.payouts())?.payoutId;
    await tell(type, about ?? '');
    await harness.bus.outcomeOf(requestId, 'completed');
  });

  it("that only says to be an effect of a job in doubt, as a venue may write into its own account's, settles nothing", async () => {
    const { jobId } = await payOut('ba_venue', '/v1/transfers');
    harness.stripe.setAvailable('acct_venue', 'usd', 1_000_000);
    const { id: payoutId } = await forgedPayout({ job_id: jobId, provider_key: `${jobId}:transfer:1` });
    harness.stripe.passTime();
    const event = await tell('payout.paid', payoutId);

    expect(await webhooks.kept(event.id)).toMatchObject([{ event: 'payout.paid', job_id: null }]);
    await hear('the payout', payoutId, 1);
    expect(heard.find((one) => one.data['payoutId'] === payoutId)?.data).toMatchObject({ transactionId: null });
    expect(await rows.outcomes(jobId)).toEqual(['attention']);
    await tell(
      'transfer.created',
      harness.stripe.transfers().find((one) => one.metadata['job_id'] === jobId)?.transferId ?? '',
    );
    await eventually('the true report settles it', async () => (await rows.outcomes(jobId)).includes('completed'));
  });

  /** Made by whoever has access to the connected account. */
  async function forgedPayout(metadata: Record<string, string>): Promise<{ id: string }> {
    const fields = Object.entries(metadata).map(([name, value]): [string, string] => [`metadata[${name}]`, value]);
    const response = await fetch(`${harness.stripe.url}/v1/payouts`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_local', 'stripe-account': 'acct_venue' },
      body: new URLSearchParams([['amount', '100'], ['currency', 'usd'], ['destination', 'ba_venue'], ...fields]),
      signal: AbortSignal.timeout(5_000),
    });
    return z.object({ id: z.string() }).parse(await response.json());
  }

  it.each([
    ['ba_venue', 'payout.paid', {}],
    ['ba_closed', 'payout.failed', { code: 'account_closed' }],
  ])('to %s is told of as %s once the bank has it, or has sent it back', async (account, type, more) => {
    const { jobId, of } = await payOut(account);
    const { payoutId = '' } = of(harness.stripe.payouts()) ?? {};
    harness.stripe.passTime();
    await tell(type, payoutId);
    await tell('payout.created', payoutId);
    expect(await hear('the payout', payoutId, 1)).toEqual([type]);
    const { data } = heard.find((one) => one.data['payoutId'] === payoutId) ?? {};
    expect(data).toEqual({
      provider: 'stripe',
      payoutId,
      accountId: 'acct_venue',
      transactionId: jobId,
      amount: 100,
      currency: 'USD',
      ...more,
    });
  });
});
