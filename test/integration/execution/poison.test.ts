import { openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { ServiceProcess } from '../../support/service-process';

const WORKER = 'test/support/pains/troubled-worker.ts';
/** One process after the other has to start, die, and be found dead. */
const LIMIT_MS = 180_000;

let harness: Harness;
let rows: MoneyRows;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  // Everything but the worker.
  await harness.startService({}, quick, { ROLES: 'consumer,relay,scheduler' });
});
afterAll(() => harness?.close());

/** Starts one worker after the other, as an orchestrator does, until every request has an outcome. */
async function workUntilAnswered(ids: string[], troubles: object[]): Promise<{ deaths: number; output: string }> {
  let deaths = 0;
  let output = '';
  const answered = Promise.all(ids.map((id) => harness.bus.outcomeOf(id, undefined, LIMIT_MS)));
  for (;;) {
    const trouble = troubles[Math.min(deaths, troubles.length - 1)];
    const worker = new ServiceProcess(WORKER, {
      ...harness.environment.variables,
      TROUBLE: JSON.stringify(trouble),
    });
    const first = await Promise.race([worker.exited, answered]);
    output += worker.output;
    if (typeof first !== 'string' && typeof first !== 'number') {
      await worker.end();
      return { deaths, output };
    }
    if (first !== 'SIGKILL') throw new Error(`the worker ended by itself (${first}):\n${output}`);
    deaths += 1;
  }
}

it(
  'a job that kills its process three times as its only suspect ends as POISON, and the innocent beside it complete',
  async () => {
    const notes = ['innocent-1', 'innocent-2', 'innocent-3', 'kills'];
    const ids = await Promise.all(
      notes.map((note) => harness.bus.request({ type: 'canary-money', data: { n: 1, note } })),
    );

    // The first death takes all four with it.
    const { deaths, output } = await workUntilAnswered(ids, [{ killsBeside: 3 }, {}]);

    expect(deaths).toBe(4);
    const outcomes = await Promise.all(ids.map((id) => harness.bus.outcomeOf(id)));
    expect(outcomes.map(({ data }) => data.outcome)).toEqual(['completed', 'completed', 'completed', 'failed']);
    expect(outcomes.at(-1)?.data).toMatchObject({ attempts: 0, error: { code: 'POISON', replayable: true } });
    // Deaths of a process spend no attempt, of nobody.
    expect(outcomes.slice(0, 3).map(({ data }) => data.attempts)).toEqual([1, 1, 1]);
    // After the first death all are suspects, and no suspect runs beside another.
    const [, ...later] = output.split('among 4\n');
    expect(later.join('')).toMatch(/kills among 1/);
    expect(later.join('')).not.toMatch(/among [2-9]/);
    const poison = await rows.find(ids[3] ?? '');
    expect(poison).toMatchObject({ status: 'failed', held: false });
    expect(await rows.deadLetters(poison?.id ?? '')).toEqual([{ kind: 'poison', code: 'POISON' }]);
  },
  LIMIT_MS,
);

it(
  'a payment that kills its process after it charged is in doubt, not failed, and charged once',
  async () => {
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });

    const { deaths } = await workUntilAnswered([id], [{ afterCharge: 'die' }]);

    expect(deaths).toBe(4);
    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'attention', error: { code: 'POISON', replayable: false } });
    expect(await rows.find(id)).toMatchObject({ status: 'in_doubt', held: true });
    expect(harness.stripe.ledger()).toMatchObject([{ calls: 4 }]);
  },
  LIMIT_MS,
);
