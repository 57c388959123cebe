import { randomUUID } from 'node:crypto';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { around } from '../../support/around';
import { eventually, openHarness, paidOrder, type Harness } from '../../support/harness';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';
import { TcpProxy } from '../../support/tcp-proxy';

/** Communication's Redis is away; messages for it come by queues that others need too. */
let harness: Harness;
let sendgrid: SendGridSandbox;
let line: TcpProxy;

beforeEach(async () => {
  sendgrid = await startSendGridSandbox();
  harness = await openHarness();
  line = await TcpProxy.open(url());
  line.block();
});
afterEach(async () => {
  line?.unblock();
  await harness?.close();
  await line?.close();
  await sendgrid?.close();
});

const url = (): string => harness.environment.variables['REDIS_COMMUNICATION_URL'] ?? '';

function start(decorate: Parameters<typeof around>[0] = {}) {
  return harness.startService({ decorate: around(decorate) }, undefined, {
    REDIS_COMMUNICATION_URL: line.through(url()),
    SENDGRID_API_KEY: API_KEY,
    SENDGRID_API_BASE: sendgrid.url,
    EMAIL_FROM: 'Tickets <tickets@example.com>',
  });
}

const waiting = async (queue: string): Promise<number> => (await harness.bus.channel.checkQueue(queue)).messageCount;
const answersTo = (id: string): string[] =>
  harness.bus.outcomesOf(id).map(({ data }) => `${data.type} ${data.outcome}`);
const canary = (tier: 'money' | 'communication', id: string = randomUUID()) =>
  harness.bus.request({ type: `canary-${tier}`, data: { n: 1, note: id }, id });

/** As the broker does after the last delivery that it grants: the message goes to the dead letters of its queue. */
async function giveUp(queue: string): Promise<void> {
  const message = await eventually('the message waits', () => harness.bus.channel.get(queue));
  harness.bus.channel.nack(message, false, false);
}

describe.each([
  {
    place: 'what the broker has given up on',
    queue: QUEUES.deadRequests,
    publish: async (tier: 'money' | 'communication') => {
      const id = await canary(tier);
      await giveUp(QUEUES.requests[tier]);
      return id;
    },
  },
  {
    place: 'what no binding took',
    queue: QUEUES.otherRequests,
    publish: async (tier: 'money' | 'communication') => {
      await harness.bus.channel.unbindQueue(QUEUES.requests[tier], EXCHANGES.requests, `${tier}.#`);
      return canary(tier);
    },
  },
])('a request among $place', ({ queue, publish }) => {
  it('waits for its tier in the queue of that tier, and the money behind it does not', async () => {
    const first = await publish('communication');
    const second = await publish('money');
    await eventually('both are there', async () => (await waiting(queue)) === 2);
    await start();
    await harness.bus.outcomeOf(second, 'completed');
    await eventually('it waits', async () => (await waiting(QUEUES.requests.communication)) === 1);
    expect(await waiting(queue)).toBe(0);

    line.unblock();
    const { data } = await harness.bus.outcomeOf(first, 'completed');
    expect(data).toMatchObject({ queue: 'communication', requestId: first });
    await canary('communication', first);
    await harness.bus.outcomeOf(await canary('communication'), 'completed');
    expect(answersTo(first)).toEqual(['canary-communication completed']);
  });
});

it('a domain event waits only for the tier that is away, and its jobs stay those of that event', async () => {
  await start();
  const order = paidOrder();
  const id = await harness.bus.event('order.paid', order);
  await harness.bus.outcomeOf(id, 'completed');
  await eventually('it waits', async () => (await waiting(QUEUES.requests.communication)) === 1);
  expect(answersTo(id)).toEqual(['analytics-track completed']);

  line.unblock();
  await eventually('the receipt is sent', () => answersTo(id).includes('send-email completed'));
  await harness.bus.event('order.paid', order, id);
  const next = await harness.bus.event('order.paid', paidOrder());
  await eventually('the next event is done', () => answersTo(next).length === 2);
  expect(answersTo(id)).toEqual(['analytics-track completed', 'send-email completed']);
  expect(sendgrid.ledger()).toHaveLength(2);
});

it('a domain event that took the way round and comes again is the same, though its key is free by then', async () => {
  let sent = 0;
  await start({
    // As if the process had died before it could acknowledge the event.
    detour: async (run) => {
      const answer = await run();
      sent += 1;
      if (sent === 1) throw new Error('died here, as the test wants it');
      return answer;
    },
  });
  sendgrid.fault({ kind: 'bad-request', times: 1 });
  const id = await harness.bus.event('order.paid', paidOrder());
  await eventually('it went round twice', () => sent >= 2);
  line.unblock();
  await eventually('the receipt is refused', () => answersTo(id).includes('send-email failed'));
  const next = await harness.bus.event('order.paid', paidOrder());
  await eventually('the next event is done', () => answersTo(next).length === 2);
  expect(answersTo(id).toSorted()).toEqual(['analytics-track completed', 'send-email failed']);
});

it('a request that its tier’s queue does not take is kept where it is', async () => {
  const id = await canary('communication');
  await giveUp(QUEUES.requests.communication);
  let refused = 0;
  await start({
    detour: async (run) => {
      if (refused >= 2) return run();
      refused += 1;
      throw new Error('not confirmed, as the test wants it');
    },
  });
  await eventually('it waits in its own queue', async () => (await waiting(QUEUES.requests.communication)) === 1);
  expect(refused).toBe(2);
  line.unblock();
  await harness.bus.outcomeOf(id, 'completed');
});
