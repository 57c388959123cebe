import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const LIMIT_MS = 10 * 60_000;

/** `npm ci`, unless it was done for the same lock. */
export function installPackages(folder: string): void {
  const lock = path.join(folder, 'package-lock.json');
  const installed = path.join(folder, 'node_modules', '.installed-lock');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return;
  console.log(`installing the packages of ${path.relative(process.cwd(), folder)}`);
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: LIMIT_MS,
  });
  if (status !== 0) throw new Error(`npm ci failed in ${folder}`);
  copyFileSync(lock, installed);
}
