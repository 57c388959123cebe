import type { Service } from '../../../src/service';
import { buildChild, CrashProcess } from '../../support/crash-process';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { jobsByTerminalOutcomes, requestCanaries, untilCompleted } from '../../support/many-jobs';
import { quick } from '../../support/money';
import { countUnpublished } from '../../support/relayed';

let harness: Harness;
const processes: CrashProcess[] = [];

beforeAll(() => void buildChild());
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  for (const one of processes.splice(0)) one.end();
  await harness?.close();
});

async function leads(service: Service, gauge: 'relay_leader' | 'scheduler_leader'): Promise<boolean> {
  return new RegExp(`^${gauge} 1$`, 'm').test(await service.metrics.registry.metrics());
}

async function holderOf(name: string): Promise<{ holder: string; term: number } | undefined> {
  const { rows } = await harness.environment.pool.query<{ holder: string; term: number }>(
    'SELECT holder, term FROM leases WHERE name = $1 AND expires_at > now()',
    [name],
  );
  return rows[0];
}

const short: typeof quick = (config) => {
  const tuned = quick(config);
  return { ...tuned, relay: { ...tuned.relay, leaseMs: 1_500, pollMs: 100 } };
};

it.each(['relay_leader', 'scheduler_leader'] as const)('of several processes one has %s at any time', async (gauge) => {
  const services = await Promise.all([1, 2, 3].map(() => harness.startService({}, short)));
  const leaders = async (): Promise<Service[]> => {
    const answers = await Promise.all(services.map((service) => leads(service, gauge)));
    return services.filter((_, index) => answers[index]);
  };
  const seen: number[] = [];
  const [first] = await eventually('one leads', async () => {
    const found = await leaders();
    seen.push(found.length);
    return found.length > 0 ? found : undefined;
  });
  await requestCanaries(harness.bus, 20);
  await first?.stop();
  await eventually('another leads', async () => {
    const found = await leaders();
    seen.push(found.length);
    return found.some((service) => service !== first);
  });
  await untilCompleted(harness.environment.pool, 20);
  await eventually('all is published', async () => (await countUnpublished(harness.environment.pool)) === 0);
  expect(Math.max(...seen)).toBe(1);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 20 });
});

it('when the process with all duties is killed, another takes them over and nothing is lost', async () => {
  const token = `${process.cwd()}/.local/none`;
  const killed = new CrashProcess(harness.environment.variables, { token });
  processes.push(killed);
  await killed.started();
  const before = await eventually('it has both leases', async () => {
    const holders = [await holderOf('relay'), await holderOf('scheduler')];
    return holders.every((one) => one !== undefined) ? holders : undefined;
  });
  await requestCanaries(harness.bus, 50);
  killed.end();
  await harness.startService({}, short);
  await untilCompleted(harness.environment.pool, 50);
  await eventually('all is published', async () => (await countUnpublished(harness.environment.pool)) === 0);
  for (const [index, name] of ['relay', 'scheduler'].entries()) {
    const after = await eventually(`${name} changed hands`, async () => {
      const found = await holderOf(name);
      return found && found.holder !== before[index]?.holder ? found : undefined;
    });
    expect(after.term).toBe((before[index]?.term ?? 0) + 1);
  }
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 50 });
});
