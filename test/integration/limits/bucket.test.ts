import fc from 'fast-check';
import { pause } from '../../../src/platform/time';
import { excess } from '../../support/excess';
import { openFleet, serverTime, untilPassed, type Fleet } from '../../support/limits';

/** Requests as the provider sees them come and go, by the limiter's own clock. */
interface Seen {
  at: number;
  underWay: number;
}

/** Runs jobs through all replicas; each takes its time between its pass and its request, as jobs do. */
async function run(fleet: Fleet, holds: number[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  let underWay = 0;
  await Promise.all(
    holds.map(async (holdMs, index) => {
      const replica = fleet.replicas[index % fleet.replicas.length];
      if (!replica) return;
      const pass = await untilPassed(replica.gate, 'stripe-charges');
      underWay += 1;
      await pause(holdMs);
      expect(await pass.pay(1)).toBeUndefined();
      seen.push({ at: await serverTime(fleet.redis), underWay });
      underWay -= 1;
      await pass.release();
    }),
  );
  return seen;
}

const limits = fc.record({
  perSecond: fc.integer({ min: 200, max: 1_000 }),
  burst: fc.integer({ min: 4, max: 40 }),
  concurrent: fc.integer({ min: 3, max: 30 }),
});

jest.setTimeout(120_000);

it('a provider never sees more than burst + rate × t in any t, nor more attempts at a time, whatever the replicas do', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 20, maxLength: 60 }),
      async (limit, holds) => {
        const fleet = await openFleet([{ name: 'stripe', ...limit }]);
        try {
          const seen = await run(fleet, holds);
          expect(seen).toHaveLength(holds.length);
          expect(
            excess(
              seen.map(({ at }) => at),
              limit,
            ),
          ).toBeUndefined();
          expect(Math.max(...seen.map(({ underWay }) => underWay))).toBeLessThanOrEqual(limit.concurrent);
        } finally {
          await fleet.close();
        }
      },
    ),
    { numRuns: 8 },
  );
});

it('a limiter that Redis has forgotten starts empty: what was lost is not allowed a second time', async () => {
  const limit = { perSecond: 500, burst: 20, concurrent: 100 };
  const fleet = await openFleet([{ name: 'stripe', ...limit }]);
  try {
    const holds = Array.from({ length: 60 }, () => 0);
    const before = await run(fleet, holds);
    const keys = await fleet.redis.keys(`${fleet.prefix}:*`);
    expect(keys).not.toEqual([]);
    await fleet.redis.unlink(...keys);
    const after = await run(fleet, holds);
    expect(
      excess(
        [...before, ...after].map(({ at }) => at),
        limit,
      ),
    ).toBeUndefined();
  } finally {
    await fleet.close();
  }
});
