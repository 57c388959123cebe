import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../../..');
const LIMIT_MS = 240_000;

const results = z.object({
  commit: z.string(),
  runs: z.literal(1),
  rows: z.object({
    throughput: z.object({
      jobs: z.literal(300),
      measured: z.array(
        z.object({ contestant: z.string(), figure: z.string(), values: z.array(z.number().nonnegative()) }),
      ),
      checks: z.array(z.object({ what: z.string(), value: z.number() })).min(1),
    }),
  }),
});

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'queue-service-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it(
  'the bench measures the service beside the bare pipeline, and writes what it found',
  async () => {
    const file = path.join(folder, 'results.json');
    const options = ['--only', 'throughput', '--jobs', '300', '--runs', '1', '--json', file];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', 'test/load/bench.ts', ...options],
      {
        cwd: ROOT,
        timeout: LIMIT_MS,
      },
    );
    const { rows } = results.parse(JSON.parse(readFileSync(file, 'utf8')));
    const rated = rows.throughput.measured.filter(({ figure }) => figure === 'jobs/s');
    expect(rated.map(({ contestant, values }) => [contestant, values.length])).toEqual([
      ['bare', 1],
      ['service', 1],
    ]);
    expect(stdout).toContain('money jobs/s, against the bare pipeline');
  },
  LIMIT_MS,
);
