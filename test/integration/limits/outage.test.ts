import { TcpProxy } from '../../support/tcp-proxy';
import { eventually } from '../../support/harness/wait';
import { applicant, openFleet, pass, type Fleet } from '../../support/limits';

const PLENTY = [{ name: 'stripe', perSecond: 100_000, burst: 1_000, concurrent: 100 }];

let line: TcpProxy;
let fleet: Fleet;

beforeEach(async () => {
  line = await TcpProxy.open(process.env['REDIS_LIMITER_URL'] ?? '');
  fleet = await openFleet(PLENTY, { url: line.through(process.env['REDIS_LIMITER_URL'] ?? ''), replicas: 1 });
});
afterEach(async () => {
  line.unblock();
  line.resume();
  await fleet.close();
  await line.close();
});

const replica = () => {
  const [one] = fleet.replicas;
  if (!one) throw new Error('no replica');
  return one;
};

it.each<[string, () => void]>([
  ['away', () => line.block()],
  ['silent', () => line.silence()],
])('while the limiter is %s everybody waits and nothing passes; afterwards it goes on by itself', async (_, fail) => {
  const before = await pass(replica().gate, 'stripe-charges');
  fail();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => replica().gate.ask('stripe-charges', applicant())),
  );
  expect(answers.map(({ kind }) => kind)).toEqual(answers.map(() => 'wait'));
  // What is under way may end, and may not ask for more.
  expect(await before.call(() => Promise.resolve({}))).toEqual({});
  expect(await before.pay(2)).toBeGreaterThan(1_000);
  await before.release();
  expect(await replica().metrics.registry.metrics()).toContain(
    'rate_limit_waits_total{limiter="stripe",reason="unreachable"} 20',
  );

  line.unblock();
  line.resume();
  const job = applicant();
  await eventually('something passes again', async () => {
    const answer = await replica().gate.ask('stripe-charges', job);
    if (answer.kind === 'passed') await answer.pass.release();
    return answer.kind === 'passed';
  });
});

it('an answer that is nonsense lets nothing pass', async () => {
  await fleet.redis.set(`${fleet.prefix}:{limits}:stripe:waiting`, 'nonsense');
  expect((await replica().gate.ask('stripe-charges', applicant())).kind).toBe('wait');
});
