import { Client } from 'pg';
import { startServices } from '../../../tools/services';

/** One statement of the service, as PostgreSQL counted it. */
export interface StatementShare {
  text: string;
  calls: number;
  rows: number;
  /** Time in the executor, waits included. */
  ms: number;
}

const EXTENSION = 'pg_stat_statements';
const MOST_TEXT = 90;

/**
 * Has PostgreSQL count statements while `work` runs. Only a restart can turn that on, so the private server is restarted
 * before and after.
 * @param set of the private servers
 */
export async function countingStatements<Value>(
  set: string,
  adminUrl: string,
  work: () => Promise<Value>,
): Promise<Value> {
  await restartWith(set, adminUrl, `ALTER SYSTEM SET shared_preload_libraries = '${EXTENSION}'`);
  try {
    return await work();
  } finally {
    await restartWith(set, adminUrl, 'ALTER SYSTEM RESET shared_preload_libraries');
  }
}

export async function resetStatements(databaseUrl: string): Promise<void> {
  await query(databaseUrl, `CREATE EXTENSION IF NOT EXISTS ${EXTENSION}`);
  await query(databaseUrl, `SELECT ${EXTENSION}_reset()`);
}

/** Most expensive first. */
export async function readStatements(databaseUrl: string): Promise<StatementShare[]> {
  const rows = await query<{ query: string; calls: string; rows: string; ms: number }>(
    databaseUrl,
    `SELECT query, calls, rows, total_exec_time + total_plan_time AS ms FROM ${EXTENSION}
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY ms DESC LIMIT 20`,
  );
  return rows.map(({ query: text, calls, rows: touched, ms }) => ({
    text: text.replaceAll(/\s+/g, ' ').trim().slice(0, MOST_TEXT),
    calls: Number(calls),
    rows: Number(touched),
    ms,
  }));
}

async function restartWith(set: string, adminUrl: string, statement: string): Promise<void> {
  await query(adminUrl, statement);
  const { postgres } = await startServices(set);
  await postgres.stop();
  await postgres.start();
}

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
