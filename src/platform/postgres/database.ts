import { Pool, type PoolClient, type QueryResultRow } from 'pg';
import { arrayText } from './array-text';
import type { Logger } from '../logger';
import { describeError } from '../logger';
import { UnavailableError } from '../unavailable';
import { sqlState } from './errors';

export interface DatabaseOptions {
  url: string;
  /** Connections of this process; a claim, a start, a settle and the relay each hold one at a time. */
  poolSize: number;
  /** A statement that takes longer is cancelled by the server. */
  statementTimeoutMs: number;
  /**
   * Named (prepared) statements save the server the parsing of the hot ones. Off behind a transaction-mode pooler that
   * does not support them.
   */
  prepareStatements: boolean;
}

/** Anything that runs a statement: the pool, or the one connection of an open transaction. */
export interface Queryable {
  query<Row extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<Row[]>;
}

/** A statement with a name is prepared once per connection when the database is configured for it. */
export interface Statement {
  name?: string;
  text: string;
}

/** Opens a transaction that other rooms may write into; the type says that a statement will be part of one. */
export interface Transaction extends Queryable {
  readonly inTransaction: true;
}

export class Database implements Queryable {
  private readonly pool: Pool;

  constructor(
    private readonly options: DatabaseOptions,
    log: Logger,
  ) {
    this.pool = new Pool({
      connectionString: options.url,
      max: options.poolSize,
      connectionTimeoutMillis: 5_000,
      statement_timeout: options.statementTimeoutMs,
      // The server's answer may never come when the network is cut: give up on our side as well.
      query_timeout: options.statementTimeoutMs + 1_000,
      idle_in_transaction_session_timeout: options.statementTimeoutMs,
      application_name: 'queue-service',
      keepAlive: true,
    });
    this.pool.on('error', (error) => log.warn('idle database connection lost', { error: describeError(error) }));
  }

  async query<Row extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<Row[]> {
    return run(async () => (await this.pool.query<Row>(this.prepared(statement, values))).rows);
  }

  /**
   * Runs `work` in one transaction. When COMMIT itself fails, nobody knows whether it took effect: the error is thrown
   * as `CommitUnknownError`, and the caller reads back before it decides.
   */
  async transaction<Value>(work: (transaction: Transaction) => Promise<Value>): Promise<Value> {
    const client = await run(() => this.pool.connect());
    let broken: Error | undefined;
    const onError = (error: Error): void => void (broken = error);
    client.on('error', onError);
    try {
      await run(() => client.query('BEGIN'));
      const value = await work(this.scope(client));
      await commit(client);
      return value;
    } catch (error) {
      broken ??= await rollback(client, error);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private scope(client: PoolClient): Transaction {
    return {
      inTransaction: true,
      query: <Row extends QueryResultRow>(statement: Statement, values: unknown[] = []) =>
        run(async () => (await client.query<Row>(this.prepared(statement, values))).rows),
    };
  }

  private prepared(statement: Statement, values: unknown[]) {
    const { name, text } = statement;
    const written = values.map((value) => (Array.isArray(value) ? (arrayText(value) ?? value) : value));
    return name !== undefined && this.options.prepareStatements
      ? { name, text, values: written }
      : { text, values: written };
  }
}

/** Asks the driver. What fails without an answer of the server is the network, the pool or the driver's patience. */
async function run<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (sqlState(error) !== undefined || error instanceof TypeError || error instanceof RangeError) throw error;
    throw new UnavailableError(`PostgreSQL did not answer: ${describeError(error)}`, { cause: error });
  }
}

/** The connection broke while COMMIT was under way: it may or may not have happened. */
export class CommitUnknownError extends UnavailableError {
  override name = 'CommitUnknownError';
}

async function commit(client: PoolClient): Promise<void> {
  try {
    await client.query('COMMIT');
  } catch (error) {
    throw new CommitUnknownError('the answer to COMMIT did not arrive', { cause: error });
  }
}

/** Rolls back; answers with an error when the connection is not fit to be used again. */
async function rollback(client: PoolClient, cause: unknown): Promise<Error | undefined> {
  if (cause instanceof CommitUnknownError) return cause;
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('rollback failed');
  }
}
