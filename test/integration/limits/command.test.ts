import path from 'node:path';
import { z } from 'zod';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { NodeProcess } from '../../support/service-process';

const ROOT = path.join(__dirname, '../../..');
const SIGNED = ['--by', 'op-7', '--reason', 'to see'];

let environment: TestEnvironment;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
});
afterAll(() => environment?.remove());

/** Runs the command as an operator does, in the environment of the service. */
const limits = (...args: string[]) => limitsWith({}, ...args);

async function limitsWith(
  over: Record<string, string>,
  ...args: string[]
): Promise<{ code: unknown; lines: string[] }> {
  const variables = { ...environment.variables, ...over };
  const command = new NodeProcess(['--require', 'tsx/cjs', 'src/set-limits.ts', ...args], ROOT, variables);
  const code = await command.exited;
  return { code, lines: command.output.trimEnd().split('\n') };
}

const row = z.object({
  name: z.string(),
  stopped: z.boolean(),
  per_second: z.number().nullable(),
  changed_by: z.string(),
  reason: z.string(),
});

it('stops, resumes and sets limits, keeps who did so and why, and shows what holds', async () => {
  const stopped = await limits('stop', 'all', ...SIGNED);
  expect(stopped.code).toBe(0);
  expect(stopped.lines).toHaveLength(9);
  for (const line of stopped.lines) expect(line).toContain('now stopped');

  expect((await limits('resume', 'all', ...SIGNED)).lines.join()).not.toContain('stopped');
  const set = await limits('set', 'stripe', '--per-second', '50.5', '--cooldown', '0', ...SIGNED);
  expect(set.lines.find((line) => line.startsWith('stripe'))).toContain(
    '50.5/s, burst 50, 10 at a time, cooldown 0 ms; now circuit closed',
  );
  const { rows } = await environment.pool.query('SELECT * FROM rate_limit_overrides ORDER BY name');
  expect(z.array(row).parse(rows)).toEqual([
    { name: '*', stopped: false, per_second: null, changed_by: 'op-7', reason: 'to see' },
    { name: 'stripe', stopped: false, per_second: 50.5, changed_by: 'op-7', reason: 'to see' },
  ]);
});

it('stops everything also while nobody can tell what the limits are', async () => {
  const { code, lines } = await limitsWith({ REDIS_LIMITER_URL: 'redis://127.0.0.1:1' }, 'stop', 'all', ...SIGNED);
  expect(code).toBe(0);
  expect(lines[0]).toContain('kept, and in force within a second');
  const shown = await limits();
  for (const line of shown.lines) expect(line).toContain('now stopped');
  await limits('resume', 'all', ...SIGNED);
});

it('gives a limiter a full bucket', async () => {
  const lineOf = ({ lines }: { lines: string[] }) => lines.find((line) => line.startsWith('push'));
  // So slow that it is as full as it was before, however long the next command takes.
  const set = await limits('set', 'push', '--per-second', '0.001', '--burst', '5000', ...SIGNED);
  expect(lineOf(set)).not.toContain(' 5000 requests left');
  expect(lineOf(await limits('reset', 'push'))).toContain(' 5000 requests left');
});

it.each([
  ['an unknown name', ['stop', 'paypal', ...SIGNED], 'name a limiter'],
  ['nobody who says so', ['stop', 'all', '--reason', 'why'], 'say who'],
  ['a limit that is none', ['set', 'stripe', '--burst', 'many', ...SIGNED], 'burst: '],
  ['something else', ['open', 'all'], 'there is no open'],
])('changes nothing when it is called with %s', async (_, args, problem) => {
  const { code, lines } = await limits(...args);
  expect(code).toBe(64);
  expect(lines[0]).toContain(problem);
});
