/** A worker is killed around a call that moves money, with and without its answer being lost: it moves once. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StepName } from '../../../src/composition/foundation';
import { openHarness, payment, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { squareVariables } from '../../support/sandbox/square/paying';
import { startSquareSandbox } from '../../support/sandbox/square/sandbox';
import { ServiceProcess } from '../../support/service-process';

let harness: Harness;
let folder: string;
let doomed: ServiceProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'money-'));
  harness = await openHarness();
});
afterEach(async () => {
  await doomed?.end();
  doomed = undefined;
  await harness?.close();
  rmSync(folder, { recursive: true });
});

interface Kill {
  when: 'before' | 'after';
  step: StepName;
  /** Which call of the step, counted from the start of the process. */
  call: number;
}

function startDoomed(kill: Kill): ServiceProcess {
  return new ServiceProcess('test/support/crash-child.ts', {
    ...harness.environment.variables,
    CRASH_PLAN: JSON.stringify({ ...kill, token: path.join(folder, randomUUID()) }),
  });
}

/** Each place with and without the answer being lost. `before` is the number of provider calls that came before. */
function casesOf(effect: string, before: number): [string, Kill, boolean][] {
  const kills: Kill[] = [
    { when: 'after', step: 'begin effect', call: before + 1 },
    { when: 'before', step: 'call provider', call: before + 1 },
    { when: 'after', step: 'call provider', call: before + 1 },
  ];
  return kills.flatMap((kill) =>
    [false, true].map((lost): [string, Kill, boolean] => [
      `${kill.when} ${kill.step} of the ${effect}${lost ? ', whose answer is lost' : ''}`,
      kill,
      lost,
    ]),
  );
}

async function expectOneOutcome(id: string): Promise<string | null> {
  await harness.startService({}, quick);
  const { data } = await harness.bus.outcomeOf(id, 'completed');
  expect(harness.bus.outcomesOf(id)).toHaveLength(1);
  return data.jobId;
}

// The payment that comes first makes one call.
it.each([
  ...casesOf('refund', 1),
  ['before its end is settled', { when: 'before', step: 'settle', call: 2 }, false] satisfies [string, Kill, boolean],
])('a refund is given once: killed %s', async (_, kill, lost) => {
  doomed = startDoomed(kill);
  const data = payment();
  const { data: paid } = await harness.bus.outcomeOf(
    await harness.bus.request({ type: 'payment-process', data }),
    'completed',
  );
  if (lost) harness.stripe.fault({ kind: 'lose-answer', match: { path: '/v1/refunds' } });
  const { userId, venueId } = data;
  const refund = { transactionId: paid.jobId, userId, venueId, amount: 100, reason: 'duplicate' };
  const id = await harness.bus.request({ type: 'refund-process', data: refund, idempotencyKey: randomUUID() });
  expect(await doomed.exited).toBe('SIGKILL');

  const jobId = await expectOneOutcome(id);
  expect(harness.stripe.refunds()).toMatchObject([{ amount: 100, metadata: { job_id: jobId } }]);
});

it.each([
  ...casesOf('transfer', 0),
  ...casesOf('payout', 1),
  ['before its end is settled', { when: 'before', step: 'settle', call: 1 }, false] satisfies [string, Kill, boolean],
])('a payout moves once, and so does its transfer: killed %s', async (name, kill, lost) => {
  doomed = startDoomed(kill);
  const path = name.includes('of the payout') ? '/v1/payouts' : '/v1/transfers';
  if (lost) harness.stripe.fault({ kind: 'lose-answer', match: { method: 'POST', path } });
  const to = { accountId: 'acct_venue', bankAccountId: 'ba_venue', type: 'standard' };
  const data = { venueId: randomUUID(), amount: 100, period: '2026-01', ...to };
  const id = await harness.bus.request({ type: 'payout-process', data });
  expect(await doomed.exited).toBe('SIGKILL');

  const jobId = await expectOneOutcome(id);
  expect(harness.stripe.transfers()).toMatchObject([{ amount: 100, metadata: { job_id: jobId } }]);
  expect(harness.stripe.payouts()).toMatchObject([{ amount: 100, metadata: { job_id: jobId } }]);
});

it.each(casesOf('payment', 0))('a payment is taken by Square once: killed %s', async (_, kill, lost) => {
  const square = await startSquareSandbox();
  Object.assign(harness.environment.variables, squareVariables(square.url));
  doomed = startDoomed(kill);
  if (lost) square.fault({ kind: 'lose-answer' });
  const data = payment({ provider: 'square', paymentMethod: 'cnon:card-nonce-ok' });
  const id = await harness.bus.request({ type: 'payment-process', data });
  expect(await doomed.exited).toBe('SIGKILL');

  await expectOneOutcome(id);
  expect(square.payments()).toMatchObject([{ amount: 10_000 }]);
  expect(harness.stripe.ledger()).toEqual([]);
  await square.close();
});
