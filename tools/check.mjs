// All static checks at once, each with its time. Only the failing ones show their output.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const BIN = path.join(ROOT, 'node_modules', '.bin');
const LIMIT_MS = 300_000;

const CHECKS = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'import arrows', command: ['depcruise', 'src', 'migrations'] },
  { name: 'unused code', command: ['knip', '--no-config-hints'] },
  { name: 'source rules', command: [process.execPath, 'tools/check-source.mjs'] },
];

/** Never rejects: a check that cannot run is a check that failed. */
function run({ name, command: [program, ...args] }) {
  const begun = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const finish = (passed, note = '') => {
      resolve({ name, passed, seconds: (performance.now() - begun) / 1_000, output: output + note });
    };
    const file = path.isAbsolute(program) ? program : path.join(BIN, program);
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        output += bytes;
      });
    }
    child.once('error', (error) => finish(false, `${error.message}\nAre the packages installed (npm ci)?\n`));
    child.once('close', (code, signal) => finish(code === 0, signal ? `ended by ${signal}\n` : ''));
  });
}

const results = await Promise.all(
  CHECKS.map(async (check) => {
    const result = await run(check);
    console.log(`${result.name.padEnd(15)} ${result.passed ? 'ok    ' : 'FAILED'} ${result.seconds.toFixed(1)} s`);
    return result;
  }),
);
const failed = results.filter((result) => !result.passed);
for (const { name, output } of failed) console.log(`\n--- ${name}\n${output.trimEnd()}`);
process.exitCode = failed.length > 0 ? 1 : 0;
