import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../../../src/config';
import { around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { untilCaughtUp } from '../../support/many-jobs';

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

  it('an outcome that was not confirmed is published again', async () => {
    let tries = 0;
    await harness.startService({
      decorate: around({
        publish: (run, [messages]) => {
          tries += 1;
          const lost = z.array(z.unknown()).parse(messages);
          return tries > 1 ? run() : Promise.allSettled(lost.map(() => Promise.reject(new Error('no confirm'))));
        },
      }),
    });
    await harness.bus.outcomeOf(await canary(1), 'completed', 10_000);
    expect(tries).toBeGreaterThan(1);
  });

  it('jobs that Redis has forgotten are handed over again', async () => {
    await startWithoutWorker();
    const id = await canary(1);
    await forget(await queued());
    await handedOverAgain(id);
  });

  it('jobs that Redis forgets while its mark is being renewed are handed over again', async () => {
    let lose: string[] | undefined;
    await startWithoutWorker({
      'leave marker': async (run) => {
        const keys = lose;
        lose = undefined;
        if (keys) await forget(keys);
        return run();
      },
    });
    const id = await canary(1);
    lose = await queued();
    await handedOverAgain(id);
  });

  /** Nobody works, and only the missing mark can tell: nothing is looked for as overdue. */
  async function startWithoutWorker(hooks: Parameters<typeof around>[0] = {}): Promise<void> {
    await harness.startService({ decorate: around(hooks) }, neverOverdue, { ROLES: 'consumer,relay,scheduler' });
    await untilCaughtUp(harness.environment.pool);
  }

  function queued(): Promise<string[]> {
    return eventually('a job is in Redis', async () => {
      const found = await harness.environment.redis.keys(`${prefix()}:money-queue:????????-????-*`);
      return found.length > 0 ? found : undefined;
    });
  }

  async function forget(jobs: string[]): Promise<void> {
    await harness.environment.redis.unlink(...jobs, `${prefix()}:money-queue:wait`, `${prefix()}:marker`);
  }

  async function handedOverAgain(requestId: string): Promise<void> {
    const look = async (): Promise<number | undefined> => {
      const { rows } = await harness.environment.pool.query<{ dispatch: number }>(
        'SELECT dispatch FROM critical_jobs WHERE request_id = $1 AND dispatch > 1',
        [requestId],
      );
      return rows[0]?.dispatch;
    };
    expect(await eventually('it is handed over again', look, 10_000)).toBe(2);
  }

  function prefix(): string {
    return `${harness.environment.variables['QUEUE_PREFIX']}:{money}`;
  }
});

function neverOverdue(config: Config): Config {
  return { ...config, recovery: { ...config.recovery, overdueEveryMs: 10_000_000, checkEveryMs: 100 } };
}
