import type { QueryResultRow } from 'pg';
import type { Statement, Transaction } from '../platform/postgres/database';
import { InvalidCallError } from './errors';

/** The caller's connection as `pg` has it: a client or a pool. */
export interface PgRunner {
  query(sql: string, values?: unknown[]): PromiseLike<{ rows: unknown[]; rowCount: number | null }>;
}

/** The same as `knex` has it: an instance or a transaction. */
export interface KnexRunner {
  raw(sql: string, bindings: unknown[]): PromiseLike<unknown>;
}

export type SqlRunner = PgRunner | KnexRunner;

/** A `pg` client on which BEGIN was sent. A pool is none: each of its queries may go to another connection. */
export interface PgTransaction extends PgRunner {
  totalCount?: never;
}

/** A `knex` transaction; knex itself is none. */
export interface KnexTransaction extends KnexRunner {
  isCompleted(): boolean;
}

export type CallerTransaction = PgTransaction | KnexTransaction;

interface Answer {
  rows: unknown[];
  rowCount: number | null;
}

/** Runs a statement with `$1`-style parameters on whichever of the two it is. */
export async function runSql(runner: SqlRunner, sql: string, values: unknown[] = []): Promise<Answer> {
  if (!('raw' in runner)) return runner.query(sql, values);
  const numbers = [...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
  const bindings = numbers.map((number) => values[number - 1]);
  // On PostgreSQL knex hands through what the driver answers.
  return (await runner.raw(sql.replaceAll(/\$\d+/g, '?'), bindings)) as Answer;
}

/**
 * The caller's transaction as our own rooms take one.
 * @throws InvalidCallError when each statement would commit by itself
 */
export function asTransaction(transaction: CallerTransaction): Transaction {
  const open = 'raw' in transaction ? 'isCompleted' in transaction : !('totalCount' in transaction);
  if (!open) {
    const problem = { path: 'transaction', message: 'is none: what is written by it commits by itself' };
    throw new InvalidCallError('a publication', [problem]);
  }
  return {
    inTransaction: true,
    query: async <Row extends QueryResultRow>({ text }: Statement, values: unknown[] = []) =>
      // The columns are the statement's own.
      (await runSql(transaction, text, values)).rows as Row[],
  };
}
