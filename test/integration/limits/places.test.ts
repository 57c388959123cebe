import type { Gate } from '../../../src/limits/gate';
import { uuidV7 } from '../../../src/platform/ids';
import { eventually } from '../../support/harness/wait';
import { applicant, openFleet, pass, passOf, untilPassed, type Fleet } from '../../support/limits';

let fleet: Fleet;
afterEach(() => fleet.close());

/** One at a time: who is next decides the order. */
const ONE_BY_ONE = { name: 'stripe', perSecond: 100_000, burst: 100, concurrent: 1 };

function gateOf(index: number): Gate {
  const gate = fleet.replicas[index % fleet.replicas.length]?.gate;
  if (!gate) throw new Error('no such replica');
  return gate;
}

/** Has as many jobs come as there are priorities, one after the other, and tells in which order they pass. */
async function orderOf(priorities: number[]): Promise<number[]> {
  const holder = await pass(gateOf(0), 'stripe-charges');
  const jobs = priorities.map((priority, age) => ({ jobId: uuidV7(1_000_000 + age), priority, age }));
  // All have a place before the first of them passes.
  for (const [index, job] of jobs.entries()) expect((await gateOf(index).ask('stripe-charges', job)).kind).toBe('wait');
  const order: number[] = [];
  const passing = jobs.map(async (job, index) => {
    const mine = await untilPassed(gateOf(index), 'stripe-charges', job);
    order.push(job.age);
    await mine.release();
  });
  await holder.release();
  await Promise.all(passing);
  return order;
}

describe('those who wait', () => {
  it('pass by priority, and among equals by age, whatever replica they come back to', async () => {
    fleet = await openFleet([ONE_BY_ONE]);
    const priorities = [1, 5, 10, 5, 1, 10, 7];
    const wanted = priorities
      .map((priority, age) => ({ priority, age }))
      .toSorted((one, other) => other.priority - one.priority || one.age - other.age)
      .map(({ age }) => age);
    expect(await orderOf(priorities)).toEqual(wanted);
  });

  it('keep what they wait for: a newcomer that is less urgent does not get it, and one that is more urgent does', async () => {
    fleet = await openFleet([ONE_BY_ONE]);
    const holder = await pass(gateOf(0), 'stripe-charges');
    const waiting = applicant(5);
    expect((await gateOf(0).ask('stripe-charges', waiting)).kind).toBe('wait');
    await holder.release();

    expect((await gateOf(1).ask('stripe-charges', applicant(4))).kind).toBe('wait');
    expect((await gateOf(1).ask('stripe-charges', applicant(5))).kind).toBe('wait');
    await passOf(await gateOf(2).ask('stripe-charges', applicant(6))).release();
    await passOf(await gateOf(2).ask('stripe-charges', waiting)).release();
  });

  it('leave what is over to others', async () => {
    fleet = await openFleet([{ ...ONE_BY_ONE, concurrent: 2 }]);
    const holders = [await pass(gateOf(0), 'stripe-charges'), await pass(gateOf(0), 'stripe-charges')];
    expect((await gateOf(0).ask('stripe-charges', applicant(9))).kind).toBe('wait');
    for (const holder of holders) await holder.release();
    await passOf(await gateOf(1).ask('stripe-charges', applicant(1))).release();
  });

  it('lose their place when they do not come back', async () => {
    fleet = await openFleet([ONE_BY_ONE]);
    const holder = await pass(gateOf(0), 'stripe-charges');
    await gateOf(0).ask('stripe-charges', applicant(10));
    await holder.release();
    const late = applicant(1);
    await eventually('the absentee is given up', async () => {
      const answer = await gateOf(1).ask('stripe-charges', late);
      return answer.kind === 'passed';
    });
  });
});

it('uses of one account share its limit, and other accounts have their own', async () => {
  fleet = await openFleet([ONE_BY_ONE, { ...ONE_BY_ONE, name: 'square' }]);
  const charge = await pass(gateOf(0), 'stripe-charges');
  expect((await gateOf(1).ask('stripe-refunds', applicant())).kind).toBe('wait');
  await (await pass(gateOf(1), 'square')).release();
  await charge.release();
});
