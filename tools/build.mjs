// Compiles src/ to dist/ and migrations/ to dist/migrations/, so that `node dist/main.js` finds both.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const OUTPUTS = [
  ['src', 'dist'],
  ['migrations', 'dist/migrations'],
];
for (const [rootDir, outDir] of OUTPUTS) {
  const project = `tools/tsconfig.${rootDir}.json`;
  const { status } = spawnSync('node_modules/.bin/tsc', ['-p', project, '--outDir', outDir], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
