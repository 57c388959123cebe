import { readOverrides, resumeLimiter, setLimit, stopLimiter } from '../../../src/limits/overrides';
import { LimitSettings } from '../../../src/limits/settings';
import type { Database } from '../../../src/platform/postgres/database';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { eventually } from '../../support/harness/wait';
import { applicant, NO_RATES, openFleet, pass, type Fleet } from '../../support/limits';
import { openDatabase, silentLog } from '../../support/records';

const US = { by: 'test', reason: 'to see' };

let environment: TestEnvironment;
let database: Database;
let fleet: Fleet;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
beforeEach(async () => {
  await environment.pool.query('TRUNCATE rate_limit_overrides');
  await setLimit(database, 'stripe', { perSecond: 10_000, burst: 100, concurrent: 100 }, US);
  fleet = await openFleet([{ name: 'stripe' }], { read: () => readOverrides(database) });
});
afterEach(() => fleet.close());
afterAll(async () => {
  await database?.close();
  await environment?.remove();
});

/** They come back again and again: newcomers would queue up behind those that never do. */
const jobs = [applicant(), applicant(), applicant()];

/** Through every replica. */
const ask = async () => {
  const answers = await Promise.all(
    fleet.replicas.map(({ gate }, index) => gate.ask('stripe-charges', jobs[index] ?? never())),
  );
  for (const answer of answers) if (answer.kind === 'passed') await answer.pass.release();
  return answers.map(({ kind }) => kind);
};
const none = ['wait', 'wait', 'wait'];
const all = ['passed', 'passed', 'passed'];
const become = (what: string, wanted: string[]) =>
  eventually(what, async () => JSON.stringify(await ask()) === JSON.stringify(wanted));

it('an emergency stop holds for all replicas until it is taken back; what is under way may end', async () => {
  const before = await pass(fleet.replicas[0]?.gate ?? never(), 'stripe-charges');
  await stopLimiter(database, '*', US);
  await become('nothing passes', none);
  expect(await before.call(() => Promise.resolve({}))).toEqual({});
  expect(await before.pay(2)).toBeGreaterThan(0);
  await before.release();
  expect(await ask()).toEqual(none);

  await resumeLimiter(database, '*', US);
  await become('everything passes', all);
});

it('one limiter can be stopped alone, and "resume" for all of them takes that back too', async () => {
  await stopLimiter(database, 'stripe', US);
  await become('nothing passes', none);
  const [one] = fleet.replicas;
  expect(one?.settings.of('square').stopped).toBe(false);
  // Another one's name changes nothing.
  await resumeLimiter(database, 'square', US);
  expect(await ask()).toEqual(none);
  await resumeLimiter(database, '*', US);
  await become('everything passes', all);
});

it('what an operator sets holds for all replicas, and what is not set is as configured', async () => {
  await setLimit(database, 'stripe', { concurrent: 1 }, US);
  await eventually('the limit is known everywhere', () =>
    fleet.replicas.every(({ settings }) => settings.of('stripe').concurrent === 1),
  );
  for (const { settings } of fleet.replicas) {
    expect(settings.of('stripe')).toEqual({
      perSecond: 25,
      concurrent: 1,
      burst: 50,
      cooldownMs: 1_000,
      stopped: false,
    });
  }
  const { rows } = await environment.pool.query('SELECT changed_by, reason FROM rate_limit_overrides');
  expect(rows).toEqual([{ changed_by: 'test', reason: 'to see' }]);
});

it('the configuration goes over the catalogue, and the operator over both', async () => {
  const settings = new LimitSettings(() => readOverrides(database), { ...NO_RATES, stripe: 7, square: 3 }, silentLog);
  await settings.refresh();
  expect(settings.of('stripe').perSecond).toBe(10_000);
  expect(settings.of('square')).toMatchObject({ perSecond: 3, concurrent: 5 });
  expect(settings.of('twilio')).toMatchObject({ perSecond: 1 });
});

it('a process that has not heard from the operators for a while lets nothing pass, and goes on once it has', async () => {
  const reading = jest.fn(() => readOverrides(database));
  const deaf = await openFleet([{ name: 'stripe' }], { replicas: 1, read: reading });
  const [one] = deaf.replicas;
  const job = applicant();
  const kind = async () => {
    const answer = await one?.gate.ask('stripe-charges', job);
    if (answer?.kind === 'passed') await answer.pass.release();
    return answer?.kind;
  };
  try {
    expect(await kind()).toBe('passed');
    reading.mockRejectedValue(new Error('the database is away'));
    await eventually('nothing passes', async () => (await kind()) === 'wait');
    reading.mockImplementation(() => readOverrides(database));
    await eventually('something passes', async () => (await kind()) === 'passed');
  } finally {
    await deaf.close();
  }
});

it.each([{ perSecond: 0 }, { perSecond: -1 }, { concurrent: 0 }, { burst: 0 }, { cooldownMs: -1 }])(
  'the database takes no %j',
  async (limit) => {
    await expect(setLimit(database, 'stripe', limit, US)).rejects.toThrow(/check constraint/);
  },
);

function never(): never {
  throw new Error('no such replica');
}
