import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config';
import { around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';

describe('on its way', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await openHarness();
  });
  afterEach(() => harness?.close());

  const canary = (n: number): Promise<string> =>
    harness.bus.request({ type: 'canary-money', data: { n, note: randomUUID() } });

  it('an outcome is marked only after the broker has confirmed it', async () => {
    const steps: string[] = [];
    await harness.startService({
      decorate: around({
        publish: async (run) => {
          const answer = await run();
          steps.push('confirmed');
          return answer;
        },
        'mark published': (run) => {
          steps.push('marked');
          return run();
        },
      }),
    });
    await harness.bus.outcomeOf(await canary(1), 'completed');
    await eventually('it is marked', () => steps.includes('marked'));
    expect(steps.slice(0, 2)).toEqual(['confirmed', 'marked']);
  });

  it('jobs that Redis has forgotten are handed over again', async () => {
    const { pool, redis, variables } = harness.environment;
    const prefix = `${variables['QUEUE_PREFIX']}:{money}`;
    // Nobody works, and only the missing mark can tell: nothing is looked for as overdue.
    await harness.startService({}, neverOverdue, { ROLES: 'consumer,relay,scheduler' });
    await eventually('the first pass is over', () => redis.exists(`${prefix}:marker`).then((found) => found === 1));
    const id = await canary(1);
    const keys = await eventually('it is in Redis', async () => {
      const found = await redis.keys(`${prefix}:money-queue:????????-????-*`);
      return found.length > 0 ? found : undefined;
    });
    await redis.unlink(...keys, `${prefix}:money-queue:wait`, `${prefix}:marker`);
    const dispatch = await eventually(
      'it is handed over again',
      async () => {
        const { rows } = await pool.query<{ dispatch: number }>(
          'SELECT dispatch FROM critical_jobs WHERE request_id = $1 AND dispatch > 1',
          [id],
        );
        return rows[0]?.dispatch;
      },
      10_000,
    );
    expect(dispatch).toBe(2);
  });
});

function neverOverdue(config: Config): Config {
  return { ...config, recovery: { ...config.recovery, overdueEveryMs: 10_000_000, checkEveryMs: 100 } };
}
