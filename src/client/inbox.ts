import type { Knex } from 'knex';
import type { Pool, PoolClient } from 'pg';
import { identifier } from '../platform/postgres/identifier';
import { runSql, type SqlRunner } from './sql';

/**
 * Remembers in the caller's database which outcomes were handled, in the transaction in which they are handled: effect
 * and memory commit together, so that an outcome takes effect once however often it is delivered.
 */
export interface Inbox<Transaction> {
  /** Runs `work` in a transaction, unless one for this outcome has committed before. @throws what `work` or SQL throws */
  once: (queue: string, outcomeId: string, work: (transaction: Transaction) => Promise<void>) => Promise<void>;
}

/** Remembers nothing and opens no transaction. */
export const NO_INBOX: Inbox<undefined> = { once: (_queue, _outcomeId, work) => work(undefined) };

/** For services that use `pg`. @param table made by `createInboxTable` */
export function pgInbox(pool: Pool, table = 'queue_inbox'): Inbox<PoolClient> {
  return sqlInbox(table, (work) => inPgTransaction(pool, work));
}

/** For services that use `knex`. @param table made by `createInboxTable` */
export function knexInbox(knex: Knex, table = 'queue_inbox'): Inbox<Knex.Transaction> {
  return sqlInbox(table, (work) => knex.transaction(work));
}

function sqlInbox<Transaction extends SqlRunner>(
  table: string,
  inTransaction: (work: (transaction: Transaction) => Promise<void>) => Promise<void>,
): Inbox<Transaction> {
  const insert = `INSERT INTO ${identifier(table)} (queue, outcome_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
  return {
    once: (queue, outcomeId, work) =>
      inTransaction(async (transaction) => {
        // Waits for another process that is just handling the same outcome.
        const { rowCount } = await runSql(transaction, insert, [queue, outcomeId]);
        if (rowCount !== 1) return;
        await work(transaction);
        // After an error that `work` swallowed, COMMIT would roll back and report success.
        await runSql(transaction, 'SELECT 1');
      }),
  };
}

async function inPgTransaction(pool: Pool, work: (connection: PoolClient) => Promise<void>): Promise<void> {
  const connection = await pool.connect();
  let finished = false;
  try {
    await connection.query('BEGIN');
    await work(connection);
    await connection.query('COMMIT');
    finished = true;
  } finally {
    // A connection on which something failed ends, and the transaction with it: work that was given up may still use it.
    connection.release(!finished);
  }
}
