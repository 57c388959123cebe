import type { Answered } from '../../../src/limits/circuit';
import type { Gate } from '../../../src/limits/gate';
import { eventually, gate as hold } from '../../support/harness/wait';
import { applicant, openFleet, pass, passOf, QUICK, untilPassed, type Fleet } from '../../support/limits';

let fleet: Fleet;
afterEach(() => fleet.close());

const PLENTY = [{ name: 'stripe', perSecond: 100_000, burst: 1_000, concurrent: 100 }];
const down = (): Promise<Answered> => Promise.resolve({ trouble: 'down' });
const well = (): Promise<Answered> => Promise.resolve({});

function replica(index: number) {
  const one = fleet.replicas[index];
  if (!one) throw new Error('no such replica');
  return one;
}
const circuit = async () => (await replica(2).store.status('stripe', replica(2).settings.of('stripe'))).circuit;

/** One attempt with one call. */
async function attempt(gate: Gate, answer: () => Promise<Answered>): Promise<Answered> {
  const mine = await pass(gate, 'stripe-charges');
  try {
    return await mine.call(answer);
  } finally {
    await mine.release();
  }
}

async function open(): Promise<void> {
  await eventually('the circuit is open', async () => {
    if ((await circuit()) === 'open') return true;
    await attempt(replica(0).gate, down);
    return false;
  });
}

/** All that pass among many that ask at once, through all replicas. */
async function passing(count: number) {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => replica(index % 3).gate.ask('stripe-charges', applicant())),
  );
  return answers.filter(({ kind }) => kind === 'passed').map(passOf);
}

/** The one that may find out whether the provider works again, once the circuit has been open for its time. */
async function probe() {
  return untilPassed(replica(1).gate, 'stripe-charges');
}

it('a provider that one replica finds to be down is called by none', async () => {
  fleet = await openFleet(PLENTY, { options: { ...QUICK, circuit: { ...QUICK.circuit, resetMs: 60_000 } } });
  await open();
  expect(await passing(30)).toEqual([]);
  expect(await replica(0).metrics.registry.metrics()).toContain('circuit_trips_total{provider="stripe"} 1');
});

it.each<[string, () => Promise<Answered>]>([
  ['a decline, or whatever else it says', well],
  ['a 429', () => Promise.resolve({ trouble: 'busy' })],
  ['a call that we gave up', () => Promise.resolve({ trouble: 'unheard' })],
])('%s does not count against it', async (_, answer) => {
  fleet = await openFleet([{ ...PLENTY[0], name: 'stripe', cooldownMs: 0 }]);
  const mine = await pass(replica(0).gate, 'stripe-charges');
  for (let call = 0; call < 20; call += 1) await mine.call(answer);
  await mine.release();
  expect(await circuit()).toBe('closed');
});

it('half of the calls may fail, more may not', async () => {
  fleet = await openFleet(PLENTY);
  for (const answer of [well, down, well, down, well, down]) await attempt(replica(0).gate, answer);
  expect(await circuit()).toBe('closed');
  await attempt(replica(0).gate, down);
  await eventually('the circuit is open', async () => (await circuit()) === 'open');
});

it('calls that were let through before it opened are held back', async () => {
  fleet = await openFleet(PLENTY);
  const early = await pass(replica(0).gate, 'stripe-charges');
  await open();
  const called = jest.fn(well);
  expect(await early.call(called)).toMatchObject({ kind: 'refused', code: 'CIRCUIT_OPEN', trouble: 'busy' });
  expect(called).not.toHaveBeenCalled();
  await early.release();
});

describe('an open circuit', () => {
  it('is probed by one call of all replicas at a time, and by no second one while that is under way', async () => {
    fleet = await openFleet(PLENTY);
    await open();
    const one = await probe();
    const answered = hold<Answered>();
    const probing = one.call(() => answered.opened);
    expect(await passing(30)).toEqual([]);
    answered.open({});
    await probing;
    // Until it has given its pass back nobody knows how it went.
    expect(await passing(30)).toEqual([]);
    await one.release();
    expect(await passing(30)).toHaveLength(1);
  });

  it('closes after two good probes in a row, for all', async () => {
    fleet = await openFleet(PLENTY);
    await open();
    for (let good = 0; good < 2; good += 1) {
      const one = await probe();
      await one.call(well);
      await one.release();
    }
    expect(await circuit()).toBe('closed');
    for (const index of [0, 1, 2]) expect(await attempt(replica(index).gate, well)).toEqual({});
  });

  it('stays open after a bad probe, and a good one before it no longer counts', async () => {
    fleet = await openFleet(PLENTY);
    await open();
    for (const answer of [well, down, well]) {
      const one = await probe();
      await one.call(answer);
      await one.release();
    }
    expect(await circuit()).toBe('half-open');
  });

  it('is probed by another one when the probe dies, or calls nobody', async () => {
    fleet = await openFleet(PLENTY, { options: { ...QUICK, leaseMs: 500 } });
    await open();
    const unused = await probe();
    expect(await passing(10)).toEqual([]);
    await unused.release();
    const [dying] = await passing(10);
    expect(dying).toBeDefined();
    for (const { gate } of fleet.replicas) await gate.stop();
    await (await untilPassed(replica(2).gate, 'stripe-charges')).release();
  });

  it('forgets what was called before it closed', async () => {
    fleet = await openFleet(PLENTY);
    const answered = hold<Answered>();
    const slow = await pass(replica(0).gate, 'stripe-charges');
    const calling = slow.call(() => answered.opened);
    await open();
    for (let good = 0; good < 2; good += 1) {
      const one = await probe();
      await one.call(well);
      await one.release();
    }
    await attempt(replica(0).gate, well);
    answered.open({ trouble: 'down' });
    await calling;
    await slow.release();
    expect(await circuit()).toBe('closed');
  });

  it('is told of when the limiter can be reached again', async () => {
    fleet = await openFleet(PLENTY);
    const mine = await Promise.all(Array.from({ length: 4 }, () => pass(replica(0).gate, 'stripe-charges')));
    jest.spyOn(replica(0).store, 'trip').mockRejectedValueOnce(new Error('away'));
    for (const one of mine) await one.call(down);
    expect(await circuit()).toBe('closed');
    // Its next question brings the news along.
    expect((await replica(0).gate.ask('stripe-charges', applicant())).kind).toBe('wait');
    expect(await circuit()).toBe('open');
    for (const one of mine) await one.release();
  });
});
