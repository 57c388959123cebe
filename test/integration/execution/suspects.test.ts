import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { UnavailableError } from '../../../src/platform/unavailable';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { MoneyRows } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let starts = gate();
const putBacks = gate();
const seen: string[] = [];
/** As they were before each start of a suspect. */
let suspectStarts: (number | undefined)[] = [];
/** So many reads of the ledger fail. */
let unread = 0;

/** Has to come once more before it is done. */
const comesTwice: Handler = () => {
  seen.push('runs');
  const again = { kind: 'snooze', code: 'TEST', afterMs: 0 } as const;
  return Promise.resolve(seen.length === 1 ? again : done({ n: 1 }));
};

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const decorate = around({
    start: async (run) => {
      await starts.opened;
      return run();
    },
    'start suspect': async (run, [request]) => {
      const { jobId } = z.object({ jobId: z.string() }).parse(request);
      suspectStarts.push(await rows.suspectStarts(jobId));
      return run();
    },
    'read ledger': (run) => {
      if (unread === 0) return run();
      unread -= 1;
      return Promise.reject(new UnavailableError('away'));
    },
    'put back': async (run) => {
      seen.push('is put back');
      await putBacks.opened;
      return run();
    },
  });
  await harness.startService({ decorate, handlers: new Map([['canary-communication', comesTwice]]) });
});
afterAll(async () => {
  putBacks.open();
  await harness?.close();
});

const ask = (type: string) => harness.bus.request({ type, data: { n: 1, note: randomUUID() } });

/** As if a process had died over it. */
async function suspectCommunication(): Promise<void> {
  const redis = harness.environment.lowerRedis.communication;
  const pattern = `${harness.environment.variables['QUEUE_PREFIX']}:{communication}:job:*`;
  const [job] = await eventually('it is claimed', async () => {
    const jobs = await redis.keys(pattern);
    return jobs.length === 1 ? jobs : undefined;
  });
  await redis.hincrby(job ?? '', 'starts', 1);
}

async function suspectMoney(requestId: string, alone = 0): Promise<void> {
  const { id } = await rows.until('it is claimed', requestId, () => true);
  await harness.environment.pool.query(
    'UPDATE critical_jobs SET starts = starts + $2 + 1, suspect_starts = $2 WHERE id = $1',
    [id, alone],
  );
}

it('a suspect whose Redis takes nothing back does not keep the suspects of other tiers waiting', async () => {
  const communication = await ask('canary-communication');
  await suspectCommunication();
  starts.open();
  await eventually('its Redis is to take it back', () => seen.includes('is put back'));

  starts = gate();
  const money = await ask('canary-money');
  await suspectMoney(money);
  starts.open();
  await harness.bus.outcomeOf(money, 'completed');
  expect(seen).toEqual(['runs', 'is put back']);
  putBacks.open();
  await harness.bus.outcomeOf(communication, 'completed');
  expect(await rows.find(money)).toMatchObject({ starts: 2, finishes: 2 });
});

it('a suspect whose ledger cannot be read is as suspect as before: nothing ran that could acquit it', async () => {
  starts = gate();
  suspectStarts = [];
  unread = 2;
  const money = await ask('canary-money');
  await suspectMoney(money, 2);
  starts.open();

  await harness.bus.outcomeOf(money, 'completed');
  expect(suspectStarts).toEqual([2, 2, 2]);
  expect(await rows.find(money)).toMatchObject({ attempts: 1, starts: 4, finishes: 4 });
});
