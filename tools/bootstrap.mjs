// The one way in: `node tools/bootstrap.mjs <command> [arguments]`. It needs nothing installed beyond Node, installs
// the packages when package-lock.json asks for it, and runs the command with the services that it needs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const STAMP = path.join(ROOT, 'node_modules', '.installed-lock');
const INSTALL_LIMIT_MS = 15 * 60_000;
const NODE = process.execPath;

/** The hook for CommonJS alone starts 0.2 s faster than all of tsx; the launcher needs no more. */
const SERVICES = [NODE, '--require', 'tsx/cjs', 'tools/services/cli.ts'];
const script = (file) => [NODE, '--import', 'tsx', file];
const withServices = (set, command) => [...SERVICES, 'exec', '--set', set, '--', ...command];
const withTestServices = (command) => withServices('test', command);
const JEST = [NODE, 'node_modules/jest/bin/jest.js'];
/** Many tests in two lanes, each with servers of its own; in one where the environment names the servers. */
const lanes = () => (process.env.AMQP_URL && !process.env.SERVICES_SET ? [] : ['--maxWorkers=2']);

const COMMANDS = {
  test: (args) => ({ command: withTestServices([...JEST, ...(args.length === 0 ? lanes() : args)]) }),
  'test:crash': (args) => ({
    command: withTestServices([...JEST, ...lanes(), '--testPathPatterns', 'test/faults/crash', ...args]),
    env: { CRASH_MATRIX: 'full' },
  }),
  mutants: (args) => ({ command: withTestServices([...script('tools/mutants/run.ts'), ...args]) }),
  bench: (args) => ({ command: withServices('bench', [...script('test/load/bench.ts'), ...args]) }),
  'bench:lanes': (args) => ({ command: withTestServices([...script('test/load/lanes.ts'), ...args]) }),
  demo: (args) => ({ command: [...script('tools/demo/main.ts'), ...args] }),
  dev: (args) => ({ command: [...script('tools/dev/main.ts'), ...args] }),
  services: (args) => ({ command: [...SERVICES, ...args] }),
  migrate: (args) => ({ command: [...script('src/migrate.ts'), ...args] }),
  topology: (args) => ({ command: [...script('tools/topology/main.ts'), ...args] }),
  templates: (args) => ({ command: [...script('tools/templates.ts'), ...args] }),
};

/** Runs it in the foreground and resolves with its exit code; signals go to it, and its end decides ours. */
function run([program, ...args], { env = {}, limitMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...env },
      timeout: limitMs,
    });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of signals) process.removeListener(name, forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

/** `npm ci` only when the lock's content differs from what is installed; it removes node_modules first. */
async function installPackages() {
  const lock = readFileSync(path.join(ROOT, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return 0;
  if (!isInstalled(JSON.parse(lock.toString()))) {
    console.error('Installing the packages of package-lock.json (npm ci).');
    // Without the development packages nothing below would run, whatever NODE_ENV says.
    const code = await run([...npm(), 'ci', '--include=dev', '--no-audit', '--no-fund'], { limitMs: INSTALL_LIMIT_MS });
    if (code !== 0) return code;
  }
  writeFileSync(STAMP, hash);
  return 0;
}

/** Somebody may have run npm by hand: npm keeps its own record of what it installed. */
function isInstalled(lock) {
  const record = path.join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = Object.entries(lock.packages).filter(([location]) => location !== '');
  return (
    wanted.every(([location, entry]) => entry.optional || installed[location]?.version === entry.version) &&
    Object.entries(installed).every(([location, entry]) => lock.packages[location]?.version === entry.version)
  );
}

/** npm's own script where it is known, so that an almost empty PATH does. */
function npm() {
  const candidates = [process.env.npm_execpath, path.resolve(NODE, '../../lib/node_modules/npm/bin/npm-cli.js')];
  const found = candidates.find((file) => file?.endsWith('npm-cli.js') && existsSync(file));
  return found ? [NODE, found] : ['npm'];
}

async function main([name, ...args]) {
  const make = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (make === undefined) {
    console.error(`usage: node tools/bootstrap.mjs ${Object.keys(COMMANDS).join(' | ')} [arguments]`);
    return 2;
  }
  const installed = await installPackages();
  if (installed !== 0) return installed;
  const { command, env } = make(args);
  return run(command, { env });
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
