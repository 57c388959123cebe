import { randomUUID } from 'node:crypto';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { UnavailableError } from '../../../src/platform/unavailable';
import { around } from '../../support/around';
import { eventually, jobRequestEvent, openHarness, order, type Harness } from '../../support/harness';
import { deadLettersOf, refusalOf } from '../../support/rejections';
import { ServiceProcess } from '../../support/service-process';

/** One process after the other has to start and die. */
const LIMIT_MS = 240_000;

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

const canary = (note: string) => JSON.stringify(jobRequestEvent({ type: 'canary-money', data: { n: 1, note } }));
const publish = (body: string) => harness.bus.publish(EXCHANGES.requests, 'money.canary-money', body);
const idOf = (body: string): string => String(Object.entries(JSON.parse(body)).find(([name]) => name === 'id')?.[1]);

/** Starts one intake after the other, as an orchestrator does, until the message is refused. */
async function diesUntilRefused(poison: string): Promise<{ deaths: number; batches: number[][] }> {
  const { pool, variables } = harness.environment;
  const batches: number[][] = [];
  const refused = refusalOf(pool, harness.bus, poison, 'of the poison', LIMIT_MS);
  for (let deaths = 0; ; deaths += 1) {
    const intake = new ServiceProcess('test/support/pains/deadly-intake.ts', variables);
    const first = await Promise.race([intake.exited, refused]);
    batches.push([...intake.output.matchAll(/^claims (\d+)$/gm)].map(([, count]) => Number(count)));
    if (typeof first === 'object') {
      intake.kill('SIGTERM');
      await intake.exited;
      return { deaths, batches };
    }
    if (first !== 'SIGKILL') throw new Error(`the intake ended by itself (${first}):\n${intake.output}`);
  }
}

/** As the broker does after the last delivery that it grants: the message goes to the dead letters of its queue. */
async function giveUp(queue: string): Promise<void> {
  const message = await eventually('the message waits', () => harness.bus.channel.get(queue));
  harness.bus.channel.nack(message, false, false);
}

/** The service's parts beside its intake. */
const startRest = () => harness.startService({}, undefined, { ROLES: 'worker,relay,scheduler' });

it(
  'a message that ends its process whenever it is read is parked, and its neighbours are done',
  async () => {
    await startRest();
    const neighbours = Array.from({ length: 4 }, () => canary(randomUUID()));
    const poison = canary('kills');
    for (const body of [...neighbours, poison]) await publish(body);

    const { deaths, batches } = await diesUntilRefused(poison);

    // Three times handed out to a process that died, which does not say who killed it, and three times alone and counted.
    expect(deaths).toBe(6);
    // Together as they came, in one batch or in several.
    expect(batches[0]?.reduce((sum, claims) => sum + claims, 0)).toBe(5);
    expect(new Set(batches.slice(1).flat())).toEqual(new Set([1]));
    const { letter, outcome } = await refusalOf(harness.environment.pool, harness.bus, poison);
    expect(letter).toMatchObject({
      kind: 'poison',
      code: 'POISON_MESSAGE',
      queue_name: 'money',
      body: Buffer.from(poison),
    });
    expect(outcome.data).toMatchObject({ outcome: 'rejected', queue: 'money', error: { code: 'POISON_MESSAGE' } });
    await Promise.all(neighbours.map((body) => harness.bus.outcomeOf(idOf(body), 'completed')));
    const { rows } = await harness.environment.pool.query('SELECT kind FROM dead_letter_jobs');
    expect(rows).toEqual([{ kind: 'poison' }]);
    expect(await harness.bus.channel.checkQueue(QUEUES.requests.money)).toMatchObject({ messageCount: 0 });
  },
  LIMIT_MS,
);

it(
  'one that the broker has given up on is parked after it ended three processes, each time alone',
  async () => {
    await startRest();
    const poison = canary('kills');
    const innocent = canary(randomUUID());
    for (const body of [poison, innocent]) {
      await publish(body);
      await giveUp(QUEUES.requests.money);
    }

    const { deaths, batches } = await diesUntilRefused(poison);

    expect(deaths).toBe(3);
    expect(new Set(batches.flat())).toEqual(new Set([1]));
    const { letter } = await refusalOf(harness.environment.pool, harness.bus, poison);
    expect(letter).toMatchObject({ kind: 'poison', queue_name: 'money' });
    await harness.bus.outcomeOf(idOf(innocent), 'completed');
    expect(await deadLettersOf(harness.environment.pool, innocent)).toEqual([]);
  },
  LIMIT_MS,
);

it('what the broker has given up on is offered once more, each alone, with its start counted before', async () => {
  const bad = JSON.stringify({ no: 'event' });
  const good = Array.from({ length: 3 }, () => canary(randomUUID()));
  for (const body of [...good, bad]) {
    await publish(body);
    await giveUp(QUEUES.requests.money);
  }
  const placed = await harness.bus.event('order.placed', order());
  await giveUp(QUEUES.domainEvents);
  const steps: string[] = [];
  await harness.startService({
    decorate: around({
      'count start': (run) => {
        steps.push('counted');
        return run();
      },
      claim: (run, [claims]) => {
        steps.push(`claimed ${Array.isArray(claims) ? claims.length : 0}`);
        return run();
      },
      reject: (run) => {
        steps.push('refused');
        return run();
      },
      'forget starts': async (run) => {
        const answer = await run();
        steps.push('forgotten');
        return answer;
      },
    }),
  });

  await Promise.all([...good.map(idOf), placed].map((id) => harness.bus.outcomeOf(id, 'completed')));
  const { letter, outcome } = await refusalOf(harness.environment.pool, harness.bus, bad);
  expect(letter).toMatchObject({ kind: 'rejected', code: 'UNREADABLE', queue_name: 'money' });
  expect(outcome.routingKey).toBe('money.unknown.rejected');
  await eventually('all are done with', () => steps.filter((step) => step === 'forgotten').length === 5);
  const one = ['counted', 'claimed 1', 'forgotten'];
  expect(steps).toEqual([...one, ...one, ...one, 'counted', 'refused', 'forgotten', ...one]);
  const { rows } = await harness.environment.pool.query(`SELECT FROM dead_letter_jobs WHERE kind = 'broker'`);
  expect(rows).toEqual([]);
});

it('a start in which PostgreSQL was away is not held against the message', async () => {
  const body = canary(randomUUID());
  await publish(body);
  await giveUp(QUEUES.requests.money);
  let tries = 0;
  await harness.startService({
    decorate: around({
      claim: (run) => {
        tries += 1;
        return tries <= 4 ? Promise.reject(new UnavailableError('the connection is gone')) : run();
      },
    }),
  });
  expect((await harness.bus.outcomeOf(idOf(body))).data.outcome).toBe('completed');
  expect(tries).toBe(5);
});
