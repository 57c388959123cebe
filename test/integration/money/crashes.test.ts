/** A worker is killed around a call that moves money, with and without its answer being lost: it moves once. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StepName } from '../../../src/composition/foundation';
import { openHarness, payment, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
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

/** The payment that comes first makes one call of each step. */
const KILLS: Kill[] = [
  { when: 'after', step: 'begin effect', call: 2 },
  { when: 'before', step: 'call provider', call: 2 },
  { when: 'after', step: 'call provider', call: 2 },
  { when: 'before', step: 'settle', call: 2 },
];
const CASES = KILLS.flatMap((kill) =>
  [false, true].map((lost) => [`${kill.when} ${kill.step}${lost ? ', the answer lost' : ''}`, kill, lost] as const),
);

it.each(CASES)('a refund is given once: killed %s', async (_, kill, lost) => {
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

  await harness.startService({}, quick);
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
  expect(harness.stripe.refunds()).toMatchObject([{ amount: 100, metadata: { job_id: outcome.jobId } }]);
  expect(harness.bus.outcomesOf(id)).toHaveLength(1);
});
