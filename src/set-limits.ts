/** The command by which a person looks at the limits of providers' accounts, and changes them: `node dist/set-limits.js --help`. */
import { LIMITER_NAMES } from './catalogue/limiters';
import { openLimits, type OpenedLimits } from './composition/limits';
import { ConfigError, loadConfig } from './config';
import { readArguments, USAGE, type Asked } from './limits/arguments';
import { resumeLimiter, setLimit, stopLimiter } from './limits/overrides';
import { complain, EX_CONFIG, EX_USAGE, say } from './platform/command';
import { createLogger, describeError } from './platform/logger';
import { Database } from './platform/postgres/database';

type Order = Exclude<Asked, { kind: 'help' | 'wrong' }>;

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2));
  if (asked.kind === 'help') return say(USAGE, 0);
  if (asked.kind === 'wrong') return complain(`${asked.problem}\n\n${USAGE}`, EX_USAGE);
  const config = loadConfig(process.env);
  const log = createLogger({ level: 'silent', service: 'limits' });
  const database = new Database({ ...config.database, poolSize: 1 }, log);
  const limits = openLimits({ config, database, log });
  try {
    for (const { start } of limits.components) await start?.();
    await obey(database, limits, asked);
    await limits.settings.refresh();
    return say(await describe(limits).catch((error: unknown) => onlyKept(asked, error)), 0);
  } finally {
    for (const { stop } of limits.components) await stop?.();
    await database.close();
  }
}

async function obey(database: Database, { store, settings }: OpenedLimits, asked: Order): Promise<void> {
  switch (asked.kind) {
    case 'show':
      return;
    case 'stop':
      return stopLimiter(database, asked.name, asked.change);
    case 'resume':
      return resumeLimiter(database, asked.name, asked.change);
    case 'set':
      return setLimit(database, asked.name, asked.limit, asked.change);
    case 'reset':
      await settings.refresh();
      return store.reset(asked.name, settings.of(asked.name));
  }
}

async function describe({ store, settings }: OpenedLimits): Promise<string> {
  const lines = LIMITER_NAMES.map(async (name) => {
    const limit = settings.of(name);
    const { perSecond, concurrent, burst, cooldownMs, stopped } = limit;
    const now = await store.status(name, limit);
    const state = stopped ? 'stopped' : `circuit ${now.circuit}`;
    return (
      `${name.padEnd(12)}${perSecond}/s, burst ${burst}, ${concurrent} at a time, cooldown ${cooldownMs} ms; ` +
      `now ${state}, ${now.tokens} requests left, ${now.inFlight} under way, ${now.waiting} waiting` +
      (now.cooldownMs > 0 ? `, cooling down for ${now.cooldownMs} ms` : '')
    );
  });
  return (await Promise.all(lines)).join('\n');
}

/** What holds is kept in PostgreSQL: a Redis that is away keeps nobody from stopping everything. */
function onlyKept({ kind }: Order, error: unknown): string {
  if (kind === 'show' || kind === 'reset') throw error;
  return `kept, and in force within a second; what the limits are now is not known: ${describeError(error)}`;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const text = error instanceof ConfigError ? error.message : describeError(error);
    process.exitCode = complain(text, error instanceof ConfigError ? EX_CONFIG : 1);
  },
);
