import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { SET_VARIABLE } from '../services/environment';

const report = z.object({
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** How each of the named tests ended, and what jest said where a file could not even be loaded. */
export interface TestRun {
  status: Map<string, string>;
  message: string;
}

/** Runs only the named tests of these files, in a copy of the tree. */
export function runTests(folder: string, files: string[], names: string[], limitMs: number): TestRun {
  const output = path.join(folder, 'jest-report.json');
  rmSync(output, { force: true });
  const pattern = `^(${names.map(escape).join('|')})$`;
  const jest = ['node_modules/jest/bin/jest.js', '--runTestsByPath', ...files, '--testNamePattern', pattern];
  spawnSync(process.execPath, [...jest, '--json', '--outputFile', output], {
    cwd: folder,
    // The servers are named by the environment, and are not this copy's to look after.
    env: { ...process.env, [SET_VARIABLE]: '' },
    stdio: 'ignore',
    timeout: limitMs,
  });
  if (!existsSync(output)) return { status: new Map(), message: `jest gave no report within ${limitMs} ms` };
  const { testResults } = report.parse(JSON.parse(readFileSync(output, 'utf8')));
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    status: new Map(results.map(({ fullName, status }) => [fullName, status])),
    message: testResults.map(({ message }) => message).join('\n'),
  };
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
