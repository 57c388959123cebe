import { randomUUID } from 'node:crypto';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { MoneyRows } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let starts = gate();
const putBacks = gate();
const seen: string[] = [];

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

async function suspectMoney(requestId: string): Promise<void> {
  const { id } = await rows.until('it is claimed', requestId, () => true);
  await harness.environment.pool.query('UPDATE critical_jobs SET starts = starts + 1 WHERE id = $1', [id]);
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
