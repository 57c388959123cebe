import type { Answered } from '../../../src/limits/circuit';
import { applicant, openFleet, pass, untilPassed, type Fleet } from '../../support/limits';

let fleet: Fleet;
afterEach(() => fleet.close());

const PLENTY = { name: 'stripe', perSecond: 1_000, burst: 100, concurrent: 10, cooldownMs: 400 };
const gateOf = (index: number) => {
  const replica = fleet.replicas[index];
  if (!replica) throw new Error('no such replica');
  return replica.gate;
};
const tooMany = (retryAfterMs?: number) => (): Promise<Answered> =>
  Promise.resolve({ trouble: 'busy', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

it('a provider that gets too many is left alone by all replicas, and nothing that was saved up comes at once', async () => {
  fleet = await openFleet([PLENTY]);
  const told = await pass(gateOf(0), 'stripe-charges');
  await told.pay(1);
  expect(await told.call(tooMany())).toMatchObject({ trouble: 'busy', retryAfterMs: 400 });
  await told.release();

  expect((await gateOf(1).ask('stripe-refunds', applicant())).kind).toBe('wait');
  const { store, settings } = fleet.replicas[2] ?? {};
  const status = await store?.status('stripe', settings?.of('stripe') ?? never());
  expect(status).toMatchObject({ tokens: 0 });
  expect(status?.cooldownMs).toBeGreaterThan(0);
  await (await untilPassed(gateOf(1), 'stripe-refunds')).release();
});

it('`Retry-After` counts when it is longer than the pause that is kept anyway, and up to an hour', async () => {
  fleet = await openFleet([PLENTY]);
  const told = await pass(gateOf(0), 'stripe-charges');
  expect(await told.call(tooMany(100))).toMatchObject({ retryAfterMs: 400 });
  expect(await told.call(tooMany(2_000))).toMatchObject({ retryAfterMs: 2_000 });
  expect(await told.call(tooMany(24 * 60 * 60 * 1_000))).toMatchObject({ retryAfterMs: 60 * 60 * 1_000 });
  // A shorter one does not shorten it.
  const after = await told.call(tooMany(1_000));
  expect(after).toMatchObject({ retryAfterMs: expect.any(Number) });
  expect('retryAfterMs' in after && after.retryAfterMs).toBeGreaterThan(60_000);
  await told.release();
});

it('an attempt that is under way asks for nothing more meanwhile', async () => {
  fleet = await openFleet([PLENTY]);
  const told = await pass(gateOf(0), 'stripe-charges');
  const other = await pass(gateOf(1), 'stripe-charges');
  await told.call(tooMany(60_000));
  expect(await other.pay(1)).toBeUndefined();
  expect(await other.pay(1)).toBeGreaterThan(30_000);
  await Promise.all([told.release(), other.release()]);
});

function never(): never {
  throw new Error('no such replica');
}
