import { eventually } from '../../support/harness/wait';
import { applicant, openFleet, pass, passOf, QUICK, untilPassed, type Fleet } from '../../support/limits';

let fleet: Fleet;
afterEach(() => fleet.close());

const FEW = { name: 'stripe', perSecond: 100_000, burst: 100, concurrent: 2 };

function replica(index: number) {
  const one = fleet.replicas[index];
  if (!one) throw new Error('no such replica');
  return one;
}
const statusOf = () => replica(2).store.status('stripe', replica(2).settings.of('stripe'));

it('what a dead process held is given to others', async () => {
  fleet = await openFleet([FEW], { options: { ...QUICK, leaseMs: 500 } });
  await pass(replica(0).gate, 'stripe-charges');
  await pass(replica(0).gate, 'stripe-charges');
  expect((await replica(1).gate.ask('stripe-charges', applicant())).kind).toBe('wait');
  // As a kill does: nothing is renewed any more, and nothing given back.
  await replica(0).gate.stop();
  const other = await untilPassed(replica(1).gate, 'stripe-charges');
  await other.release();
  await eventually('all that was paid for is accounted for', async () => (await statusOf()).inFlight === 0);
  expect(await replica(2).redis.hget(`${fleet.prefix}:{limits}:stripe:state`, 'out')).toBe('0');
});

it('what a living process holds stays its own, however long it takes', async () => {
  fleet = await openFleet([FEW], { options: { ...QUICK, leaseMs: 600 } });
  const held = await pass(replica(0).gate, 'stripe-charges');
  const dead = await pass(replica(1).gate, 'stripe-charges');
  await replica(1).gate.stop();
  // The lease of the dead one shows that the time of both is over.
  await eventually('one lease has expired', async () => (await statusOf()).inFlight === 1);
  await held.release();
  await dead.release();
  expect((await statusOf()).inFlight).toBe(0);
});

it('a lease is given back once, and an expired one is not given back again', async () => {
  fleet = await openFleet([FEW]);
  const once = await pass(replica(0).gate, 'stripe-charges');
  const other = await pass(replica(0).gate, 'stripe-charges');
  await once.release();
  await once.release();
  expect(await statusOf()).toMatchObject({ inFlight: 1 });
  await other.release();
  expect(await statusOf()).toMatchObject({ inFlight: 0 });
});

it('what was paid for and not sent goes back, and what is asked for beyond it is paid for', async () => {
  fleet = await openFleet([{ ...FEW, perSecond: 0.001, burst: 4 }]);
  await replica(0).store.reset('stripe', replica(0).settings.of('stripe'));
  const unused = await pass(replica(0).gate, 'stripe-charges');
  expect(await statusOf()).toMatchObject({ tokens: 3 });
  await unused.release();
  expect(await statusOf()).toMatchObject({ tokens: 4 });

  const used = passOf(await replica(0).gate.ask('stripe-charges', applicant()));
  expect(await used.pay(1)).toBeUndefined();
  expect(await statusOf()).toMatchObject({ tokens: 3 });
  expect(await used.pay(3)).toBeUndefined();
  expect(await statusOf()).toMatchObject({ tokens: 0 });
  expect(await used.pay(1)).toBeGreaterThan(0);
  await used.release();
  expect(await statusOf()).toMatchObject({ tokens: 0, inFlight: 0 });
});

it('a pass whose lease has expired sends nothing more', async () => {
  fleet = await openFleet([FEW], { options: { ...QUICK, leaseMs: 400 } });
  const stale = await pass(replica(0).gate, 'stripe-charges');
  await replica(0).gate.stop();
  await eventually('it has expired', async () => (await statusOf()).inFlight === 0);
  expect(await stale.pay(2)).toBeGreaterThan(0);
});
