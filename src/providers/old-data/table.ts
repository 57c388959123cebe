import { identifier } from '../../platform/postgres/identifier';
import { isUnavailable, sqlState } from '../../platform/postgres/errors';
import type { Queryable } from '../../platform/postgres/database';
import type { OldDataSource, SweepAnswer, SweepOptions } from './source';

/** Rows that one statement takes, so that it holds up nobody for long. */
const AT_ONCE = 500;

/** A table of the service's database, and the column of it that says how old a row is. */
export interface OldRows {
  table: string;
  column: string;
}

/** Rows of a table that is not ours. PostgreSQL's own messages may repeat values, so that only its codes are passed on. */
export function createTableSource(database: Queryable, { table, column }: OldRows): OldDataSource {
  const statements = statementsFor(identifier(table), identifier(column));
  return {
    sweep: (before, options) =>
      (options.dryRun
        ? count(database, statements.count, before)
        : remove(database, statements.remove, before, options)
      ).catch(toUnavailable),
  };
}

function statementsFor(table: string, column: string) {
  return {
    count: `SELECT count(*)::float8 AS rows FROM ${table} WHERE ${column} < $1`,
    // The time is asked for again: a row that was renewed meanwhile stays.
    remove: `
      WITH gone AS (
        DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${column} < $1 LIMIT $2))
          AND ${column} < $1 RETURNING 1
      )
      SELECT count(*)::float8 AS rows FROM gone`,
  };
}

async function count(database: Queryable, text: string, before: Date): Promise<SweepAnswer> {
  const [counted] = await database.query<{ rows: number }>({ text }, [before]);
  return { kind: 'swept', found: counted?.rows ?? 0, deleted: 0, failed: 0 };
}

async function remove(database: Queryable, text: string, before: Date, { signal }: SweepOptions): Promise<SweepAnswer> {
  for (let deleted = 0; ;) {
    if (signal.aborted) return { kind: 'stopped', found: deleted, deleted, failed: 0 };
    const [gone] = await database.query<{ rows: number }>({ text }, [before, AT_ONCE]);
    const rows = gone?.rows ?? 0;
    deleted += rows;
    if (rows < AT_ONCE) return { kind: 'swept', found: deleted, deleted, failed: 0 };
  }
}

/** @throws what is no answer of the database's, but a fault in this program */
function toUnavailable(error: unknown): SweepAnswer {
  const state = sqlState(error);
  if (state !== undefined) return { kind: 'unavailable', message: `the table cannot be swept (SQLSTATE ${state})` };
  if (isUnavailable(error)) return { kind: 'unavailable', message: 'the database did not answer' };
  throw error;
}
