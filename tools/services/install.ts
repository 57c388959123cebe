import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Binaries, findBinaries, findProgram, searchPath } from './binaries';
import { LOCAL } from './layout';
import { withLock } from './lock';

const PACKAGES = ['postgresql', 'redis-server', 'rabbitmq-server'];
const INSTALL_LIMIT_MS = 280_000;
const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** The servers' programs, installed first where that is possible without asking anybody. */
export async function requireBinaries(log: (line: string) => void): Promise<Binaries> {
  const complete = (): Binaries | undefined => {
    const { postgresFolder, redisServer, rabbitmqFolder, epmd } = findBinaries().found;
    return postgresFolder && redisServer && rabbitmqFolder && epmd
      ? { postgresFolder, redisServer, rabbitmqFolder, epmd }
      : undefined;
  };
  const present = complete();
  if (present) return present;
  const aptGet = findProgram('apt-get');
  if (aptGet === undefined || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(explain(findBinaries().missing));
  }
  return withLock(path.join(LOCAL, 'install.lock'), async () => {
    const installedMeanwhile = complete();
    if (installedMeanwhile) return installedMeanwhile;
    log(`Not on this machine: ${findBinaries().missing.join(', ')}. Installing ${PACKAGES.join(', ')} with apt-get.`);
    await installWithApt(aptGet);
    const installed = complete();
    if (installed) return installed;
    throw new Error(`after the installation there is still no ${findBinaries().missing.join(', ')}`);
  });
}

function explain(missing: readonly string[]): string {
  return [
    `Missing on this machine: ${missing.join(', ')}.`,
    'Either install them (Debian: apt-get install postgresql redis-server rabbitmq-server),',
    'or run `docker compose up -d --wait` and set DATABASE_URL, REDIS_MONEY_URL, REDIS_COMMUNICATION_URL,',
    'REDIS_BACKGROUND_URL, REDIS_LIMITER_URL and AMQP_URL: then nothing is started here.',
  ].join('\n');
}

/**
 * The packages' own daemons are not wanted. Debian asks policy-rc.d before it starts one; where the machine has no
 * such policy, ours says no for as long as the installation lasts.
 */
async function installWithApt(aptGet: string): Promise<void> {
  const ownPolicy = !existsSync(POLICY_FILE);
  const removePolicy = (): void => rmSync(POLICY_FILE, { force: true });
  if (ownPolicy) {
    writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    process.once('exit', removePolicy);
  }
  try {
    await run(aptGet, ['-q', '-o', 'DPkg::Lock::Timeout=120', 'update']);
    await run(aptGet, ['-q', '-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', ...PACKAGES]);
  } finally {
    if (ownPolicy) {
      removePolicy();
      process.removeListener('exit', removePolicy);
    }
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, {
      env: { ...process.env, PATH: searchPath(), DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INSTALL_LIMIT_MS,
    });
    const keep = (bytes: Buffer): void => {
      output = (output + bytes.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} failed (${String(code)}):\n${output}`));
    });
  });
}
