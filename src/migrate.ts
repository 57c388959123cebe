import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import knex, { type Knex } from 'knex';

/** Beside this file in a build, one folder up in the sources. */
const FOLDER = [path.join(__dirname, 'migrations'), path.join(__dirname, '..', 'migrations')].find((folder) =>
  existsSync(folder),
);

/**
 * Migrations by name without an extension: knex would otherwise take the same migration run from .ts and from .js for
 * two, and call the folder corrupt.
 */
class MigrationFolder implements Knex.MigrationSource<string> {
  getMigrations(): Promise<string[]> {
    const files = readdirSync(FOLDER ?? '').filter((file) => /^\d{3}_\w+\.(ts|js)$/.test(file));
    return Promise.resolve(files.map((file) => file.replace(/\.(ts|js)$/, '')).sort());
  }

  getMigrationName(name: string): string {
    return name;
  }

  getMigration(name: string): Promise<Knex.Migration> {
    // `require`, because `import()` of a build would not find a name without an extension.
    const migration: Knex.Migration = require(path.join(FOLDER ?? '', name));
    return Promise.resolve(migration);
  }
}

/** Applies what is missing. Several processes may do so at once: knex lets one of them work. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const client = knex({ client: 'pg', connection: databaseUrl, pool: { min: 0, max: 2 } });
  try {
    const [, applied]: [number, string[]] = await client.migrate.latest({ migrationSource: new MigrationFolder() });
    return applied;
  } finally {
    await client.destroy();
  }
}

async function main(): Promise<void> {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL must be set');
  const applied = await migrate(url);
  process.stdout.write(applied.length === 0 ? 'nothing to migrate\n' : `migrated: ${applied.join(', ')}\n`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : 'migration failed'}\n`);
    process.exitCode = 1;
  });
}
