import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.join(__dirname, '../../..');
/** Large, and of no use to a process that does not call their provider. */
const SDKS = [
  'stripe',
  'square',
  'twilio',
  '@sendgrid',
  'axios',
  'ethers',
  '@solana',
  'firebase-admin',
  'google-auth-library',
  'web-push',
];

/** The packages that a program has loaded once all its own files are. */
async function loadedBy(program: string): Promise<Set<string>> {
  const script = `require(${JSON.stringify(path.join(ROOT, program))}); console.log(Object.keys(require.cache).join('\\n'))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '-e', script], {
    cwd: ROOT,
    timeout: 30_000,
  });
  return new Set(stdout.split('\n').flatMap((file) => /node_modules\/([^/]+)/.exec(file)?.[1] ?? []));
}

it('no SDK of a provider is loaded before its provider is called or its messages are configured', async () => {
  const loaded = await loadedBy('src/service.ts');
  expect(loaded).toContain('bullmq');
  expect(SDKS.filter((name) => loaded.has(name))).toEqual([]);
});
