/** Processes that die over a webhook: the provider sends it again, or another process goes on, and all of it is there once. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Kill } from '../../support/crash-points';
import { buildChild, CrashProcess, deathAt } from '../../support/crash-process';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { sendEvent } from '../../support/sandbox/stripe/events';
import { freePort } from '../../../tools/stage/service-variables';
import { endpointOf, hearEvents, STRIPE_WEBHOOK_SECRET, WebhookRows, webhookVariables } from '../../support/webhooks';

const { folder } = buildChild();
const secret = STRIPE_WEBHOOK_SECRET;

let harness: Harness;
let webhooks: WebhookRows;

beforeAll(async () => {
  harness = await openHarness();
  webhooks = new WebhookRows(harness.environment.pool);
});
afterAll(async () => {
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

const DEATHS: [string, Kill][] = [
  ['before the claim', { step: 'claim', when: 'before', call: 2 }],
  ['after the claim, before the answer', { step: 'claim', when: 'after', call: 2 }],
  ['before the job is handed to Redis', { step: 'enqueue', when: 'before', call: 2 }],
  ['before what follows is committed', { step: 'take report', when: 'before', call: 1 }],
  ['after what follows is committed', { step: 'take report', when: 'after', call: 1 }],
];

it.each(DEATHS)('a process that dies %s loses nothing, and nothing is told twice', async (_, kill) => {
  const heard = await hearEvents(harness.bus, 'payment.#');
  const port = await freePort();
  const token = path.join(folder, randomUUID());
  const variables = { ...harness.environment.variables, ...webhookVariables, PORT: String(port) };
  const child = new CrashProcess(variables, { kill, token });
  try {
    await child.started();
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    const { data } = await harness.bus.outcomeOf(id, 'completed');
    const intent = harness.stripe.events.latestOf(data.jobId ?? '')?.about ?? '';
    const event = harness.stripe.events.find('payment_intent.succeeded', intent);
    const url = `http://127.0.0.1:${port}/api/v1/queue/provider-webhooks/stripe`;

    const first = await sendEvent(event, { url, secret }).catch(() => 0);
    await eventually('it has died', () => child.gone);

    expect(deathAt(token)).toBe(`${kill.when} ${kill.step}`);
    const service = await harness.startService({}, quick, webhookVariables);
    // A provider that was answered does not come again.
    if (first !== 200) expect(await sendEvent(event, { url: endpointOf(service, 'stripe'), secret })).toBe(200);
    expect(await webhooks.untilKept(event.id)).toMatchObject({ job_id: data.jobId });
    await eventually('it is told', () => heard.some((told) => told.data['paymentIntentId'] === intent));
    expect(await webhooks.takenOf(event.id)).toBe(1);
    const ids = heard.filter((told) => told.data['paymentIntentId'] === intent).map((told) => told.id);
    expect(new Set(ids).size).toBe(1);
    await service.stop();
  } finally {
    child.end();
  }
});
