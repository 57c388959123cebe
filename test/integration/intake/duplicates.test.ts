import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { StepName } from '../../../src/composition/foundation';
import { EXCHANGES } from '../../../src/contract/names';
import type { Handler } from '../../../src/handlers/handler';
import { done, failed } from '../../../src/handlers/outcome';
import type { Service } from '../../../src/service';
import { around, type Around } from '../../support/around';
import {
  eventually,
  gate,
  jobRequestEvent,
  openHarness,
  order,
  type Harness,
  type RequestParts,
} from '../../support/harness';
import { counterOf } from '../../support/counters';
import { waitsForLock } from '../../support/locks';
import { MoneyRows } from '../../support/money';

const claimed = z.array(z.object({ requestId: z.string() }));

let harness: Harness;
let rows: MoneyRows;
let service: Service;
/** What the next canary waits for, and whether it then fails. */
let ending = gate();
let fails = false;
/** Redeliveries before the test. */
let redelivered = 0;
const hooks: Partial<Record<StepName, Around>> = {};

const canary: Handler = async (payload) => {
  await ending.opened;
  const { n } = z.object({ n: z.number() }).parse(payload);
  return fails ? failed('NO', 'as the test wants it', { replayable: true }) : done({ n });
};

/** Each step asks at every call whether a test is interested in it. */
function watched(name: StepName): Around {
  return (run, args) => hooks[name]?.(run, args) ?? run();
}

async function start(): Promise<void> {
  const steps: StepName[] = ['claim', 'answer contested', 'append outcome'];
  const decorate = around(Object.fromEntries(steps.map((name) => [name, watched(name)])));
  service = await harness.startService({ decorate, handlers: new Map([['canary-money', canary]]) });
}

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  await start();
});
beforeEach(async () => {
  ending = gate();
  fails = false;
  redelivered = await counted('redeliveries_total');
});
afterEach(() => {
  for (const name of Object.keys(hooks)) Reflect.deleteProperty(hooks, name);
  ending.open();
});
afterAll(() => harness?.close());

const data = (): Record<string, unknown> => ({ n: 1, note: randomUUID() });
const ask = (payload: Record<string, unknown>, over: Partial<RequestParts> = {}): Promise<string> =>
  harness.bus.request({ type: 'canary-money', data: payload, ...over });
const running = (id: string) => rows.until('the job runs', id, ({ status }) => status === 'processing');
const counted = (metric: string): Promise<number> => counterOf(service, metric);

describe('the same identity again', () => {
  it.each(['while the work runs', 'after it is done'])('%s is acknowledged and counted, nothing else', async (when) => {
    const payload = data();
    const id = await ask(payload);
    if (when === 'after it is done') {
      ending.open();
      await harness.bus.outcomeOf(id, 'completed');
    } else {
      await running(id);
    }

    await ask(payload, { id });
    await eventually('it is counted', async () => (await counted('redeliveries_total')) === redelivered + 1);

    ending.open();
    await harness.bus.outcomeOf(await ask(data()), 'completed');
    await harness.bus.outcomeOf(id, 'completed');
    const job = await rows.find(id);
    expect(job).toMatchObject({ generation: 1, dispatch: 1, starts: 1 });
    expect(await rows.outcomes(job?.id ?? '')).toEqual(['completed']);
    expect(harness.bus.outcomesOf(id)).toHaveLength(1);
  });

  it('of a job that failed does not run it again', async () => {
    fails = true;
    ending.open();
    const payload = data();
    const id = await ask(payload);
    await harness.bus.outcomeOf(id, 'failed');
    fails = false;
    await ask(payload, { id });
    await eventually('it is counted', async () => (await counted('redeliveries_total')) === redelivered + 1);
    expect(await rows.find(id)).toMatchObject({ status: 'failed', starts: 1 });
  });

  it('of a domain event asks for nothing twice, and another event about the same order neither', async () => {
    const placed = order();
    const id = await harness.bus.event('order.placed', placed);
    const first = await harness.bus.outcomeOf(id, 'completed');
    await harness.bus.event('order.placed', placed, id);
    await eventually('it is counted', async () => (await counted('redeliveries_total')) === redelivered + 1);
    const other = await harness.bus.event('order.placed', placed);
    const second = await harness.bus.outcomeOf(other, 'duplicate');
    expect(second.data).toMatchObject({ jobId: first.data.jobId, result: first.data.result });
    const charges = harness.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === first.data.jobId);
    expect(charges).toHaveLength(1);
  });
});

describe('the same key and payload under another identity', () => {
  it('is answered at once without a result, and again under a second id when the work ends', async () => {
    const payload = data();
    const idempotencyKey = randomUUID();
    const first = await ask(payload, { idempotencyKey });
    const job = await running(first);
    const second = await ask(payload, { idempotencyKey });

    const early = await harness.bus.outcomeOf(second, 'duplicate');
    expect(early.data).toMatchObject({ jobId: job.id, idempotencyKey, result: null, finishedAt: null });
    ending.open();
    const finished = await harness.bus.outcomeOf(first, 'completed');
    const late = await eventually('the second answer', () => harness.bus.outcomesOf(second, 'duplicate')[1]);
    expect(late.id).not.toBe(early.id);
    expect(late.data).toMatchObject({ jobId: job.id, result: { n: 1 }, finishedAt: finished.data.finishedAt });
    expect((await rows.find(first))?.starts).toBe(1);
    expect(await rows.find(second)).toBeUndefined();
    const waiting = `SELECT FROM job_followers WHERE job_id = '${job.id}' AND answered_at IS NULL`;
    const { rowCount } = await harness.environment.pool.query(waiting);
    expect(rowCount).toBe(0);
  });

  it('is answered with the result at once when the work is done', async () => {
    ending.open();
    const payload = data();
    const first = await harness.bus.outcomeOf(await ask(payload), 'completed');
    const second = await ask(payload);
    const answer = await harness.bus.outcomeOf(second, 'duplicate');
    expect(answer.data).toMatchObject({ jobId: first.data.jobId, result: first.data.result });
    expect(answer.subject).toBe(first.data.jobId);
  });

  it('that comes again itself adds no third answer', async () => {
    const payload = data();
    await running(await ask(payload));
    const second = await ask(payload);
    const { id } = await harness.bus.outcomeOf(second, 'duplicate');
    await ask(payload, { id: second });
    await eventually('the first answer is repeated', () => harness.bus.outcomesOf(second).length === 2);
    ending.open();
    await eventually('the last answer', () => harness.bus.outcomesOf(second).some((one) => one.id !== id));
    // A subscriber that drops repeats sees two.
    expect(new Set(harness.bus.outcomesOf(second).map((one) => one.id)).size).toBe(2);
  });

  it('is a job of its own once the first one has failed', async () => {
    fails = true;
    const payload = data();
    const idempotencyKey = randomUUID();
    const first = await ask(payload, { idempotencyKey });
    ending.open();
    await harness.bus.outcomeOf(first, 'failed');
    fails = false;
    const second = await harness.bus.outcomeOf(await ask(payload, { idempotencyKey }), 'completed');
    expect(second.data.jobId).not.toBe((await rows.find(first))?.id);
  });
});

describe('the key', () => {
  it('of a caller belongs to its source, a default one to everybody', async () => {
    ending.open();
    const payload = data();
    const idempotencyKey = randomUUID();
    const one = await harness.bus.outcomeOf(await ask(payload, { source: '/one', idempotencyKey }), 'completed');
    const other = await harness.bus.outcomeOf(await ask(payload, { source: '/other', idempotencyKey }), 'completed');
    expect(other.data.jobId).not.toBe(one.data.jobId);

    const byDefault = await harness.bus.outcomeOf(await ask(payload, { source: '/one' }), 'completed');
    const again = await harness.bus.outcomeOf(await ask(payload, { source: '/other' }), 'duplicate');
    expect(again.data.jobId).toBe(byDefault.data.jobId);
    expect(byDefault.data.idempotencyKey).toMatch(/^default-[0-9a-f]{48}$/);
  });

  it('with another payload is a conflict, and the job that holds it stands', async () => {
    const idempotencyKey = randomUUID();
    const first = await ask(data(), { idempotencyKey });
    const job = await running(first);
    const second = await harness.bus.outcomeOf(await ask(data(), { idempotencyKey }));
    expect(second.data).toMatchObject({ outcome: 'rejected', jobId: job.id, error: { code: 'IDEMPOTENCY_CONFLICT' } });
    ending.open();
    expect((await harness.bus.outcomeOf(first)).data.outcome).toBe('completed');
  });
});

describe('in one batch', () => {
  it('one of several becomes the job, and every other one gets its own answer', async () => {
    const payload = data();
    const idempotencyKey = randomUUID();
    const ids = ['first', 'same', 'duplicate', 'conflict'].map((name) => `${name}-${randomUUID()}`);
    const [first = '', , duplicate = '', conflict = ''] = ids;
    const events = [
      jobRequestEvent({ type: 'canary-money', id: first, data: payload, idempotencyKey }),
      jobRequestEvent({ type: 'canary-money', id: first, data: payload, idempotencyKey }),
      jobRequestEvent({ type: 'canary-money', id: duplicate, data: payload, idempotencyKey }),
      jobRequestEvent({ type: 'canary-money', id: conflict, data: data(), idempotencyKey }),
    ];
    await service.stop();
    for (const event of events) {
      await harness.bus.publish(EXCHANGES.requests, 'money.canary-money', JSON.stringify(event));
    }
    const batches: string[][] = [];
    hooks.claim = (run, [claims]) => {
      batches.push(claimed.parse(claims).map(({ requestId }) => requestId));
      return run();
    };
    await start();

    const early = await harness.bus.outcomeOf(duplicate);
    expect(early.data).toMatchObject({ outcome: 'duplicate', result: null });
    expect((await harness.bus.outcomeOf(conflict)).data.error?.code).toBe('IDEMPOTENCY_CONFLICT');
    expect(await counted('redeliveries_total')).toBe(1);
    ending.open();
    expect((await harness.bus.outcomeOf(first)).data).toMatchObject({ outcome: 'completed', jobId: early.data.jobId });
    await eventually('the duplicate gets its result', () => harness.bus.outcomesOf(duplicate).length === 2);
    expect(Math.max(...batches.map(({ length }) => length))).toBeGreaterThan(2);
  });
});

describe('a duplicate at the moment in which its job ends', () => {
  it('that has the row first is a follower, and is answered again by the settling that waited', async () => {
    const payload = data();
    const first = await ask(payload);
    await running(first);
    const judged = gate();
    const commit = gate();
    hooks['answer contested'] = async (run) => {
      // It has been read that the job is under way; the follower is not written yet.
      judged.open();
      await commit.opened;
      return run();
    };
    const second = await ask(payload);
    await judged.opened;
    ending.open();
    await waitsForLock(harness.environment.pool);
    commit.open();

    await harness.bus.outcomeOf(first, 'completed');
    const answers = await eventually('both answers', () => {
      const duplicates = harness.bus.outcomesOf(second, 'duplicate');
      return duplicates.length === 2 ? duplicates : undefined;
    });
    expect(answers.map((one) => one.data.result)).toEqual([null, { n: 1 }]);
  });

  it.each([
    ['completed', false],
    ['failed', true],
  ])('that comes second sees how it %s', async (outcome, failing) => {
    fails = failing;
    const payload = data();
    const first = await ask(payload);
    const job = await running(first);
    const settled = gate();
    const commit = gate();
    hooks['append outcome'] = async (run) => {
      settled.open();
      await commit.opened;
      return run();
    };
    ending.open();
    await settled.opened;
    const second = await ask(payload);
    await waitsForLock(harness.environment.pool);
    fails = false;
    commit.open();

    await harness.bus.outcomeOf(first, outcome);
    const { data: answer } = await harness.bus.outcomeOf(second);
    if (failing) {
      // The key was let go: this is a job of its own.
      expect(answer.outcome).toBe('completed');
      expect(answer.jobId).not.toBe(job.id);
    } else {
      expect(answer).toMatchObject({ outcome: 'duplicate', jobId: job.id, result: { n: 1 } });
    }
  });
});
