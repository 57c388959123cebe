// Compiles src/ to dist/ and migrations/ to dist/migrations/, and copies what is read at run time, so that
// `node dist/main.js` finds all of it.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync } from 'node:fs';

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
const isReadAtRunTime = (file) => statSync(file).isDirectory() || file.endsWith('.hbs');
cpSync('src/handlers/email/templates', 'dist/handlers/email/templates', { recursive: true, filter: isReadAtRunTime });
