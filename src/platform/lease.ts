import { performance } from 'node:perf_hooks';
import { identifier } from './postgres/identifier';
import type { Queryable, Statement } from './postgres/database';
import type { Logger } from './logger';
import { describeError } from './logger';
import { Loop } from './time';

export interface LeaseOptions {
  name: string;
  holder: string;
  ttlMs: number;
  /** Where leases are kept; `leases` unless told otherwise. */
  table?: string;
  onChange?: (held: boolean) => void;
}

/**
 * A lease row makes one holder of a duty among all replicas. Expiry is judged by the database's clock alone; the holder
 * trusts itself only until the monotonic start of its last renewal + TTL − margin, so that it stops before another can
 * begin, whatever its wall clock says. Works through a transaction-mode pooler (no session locks).
 *
 * A term counts takeovers: work that was begun under an older term can be recognised.
 */
export class Lease {
  private trustedUntil = 0;
  private currentTerm: number | undefined;
  private readonly loop: Loop;
  private readonly table: string;
  private readonly acquire: Statement;

  constructor(
    private readonly database: Queryable,
    private readonly options: LeaseOptions,
    private readonly log: Logger,
  ) {
    this.table = identifier(options.table ?? 'leases');
    this.acquire = acquireIn(this.table);
    this.loop = new Loop(
      () => this.renew(),
      options.ttlMs / 3,
      (error) => log.warn('lease not renewed', { lease: options.name, error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  /** True while no other process can hold the lease. */
  get held(): boolean {
    const held = performance.now() < this.trustedUntil;
    if (!held && this.currentTerm !== undefined) this.changed(undefined);
    return held;
  }

  /** Gives the lease up at once, so that another replica need not wait for it to expire. */
  async stop(): Promise<void> {
    await this.loop.stop();
    if (!this.held) return;
    this.changed(undefined);
    await this.database
      .query({ text: `UPDATE ${this.table} SET expires_at = now() WHERE name = $1 AND holder = $2` }, [
        this.options.name,
        this.options.holder,
      ])
      .catch((error: unknown) => this.log.warn('lease not released', { error: describeError(error) }));
  }

  private async renew(): Promise<void> {
    const { name, holder, ttlMs } = this.options;
    const asked = performance.now();
    const rows = await this.database.query<{ term: number }>(this.acquire, [name, holder, ttlMs]);
    const row = rows[0];
    if (!row) return;
    this.trustedUntil = asked + ttlMs - ttlMs / 5;
    if (this.currentTerm !== row.term) this.changed(row.term);
  }

  private changed(term: number | undefined): void {
    this.currentTerm = term;
    if (term === undefined) this.trustedUntil = 0;
    this.log.info(term === undefined ? 'lease lost' : 'lease taken', { lease: this.options.name, term });
    this.options.onChange?.(term !== undefined);
  }
}

/** Names of leases that begin with `prefix` and ended not longer than `ms` ago, given up or not renewed. */
export async function readEnded(database: Queryable, prefix: string, ms: number): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    {
      text: `
        SELECT name FROM leases
        WHERE starts_with(name, $1) AND expires_at BETWEEN now() - $2 * interval '1 millisecond' AND now()`,
    },
    [prefix, ms],
  );
  return rows.map(({ name }) => name);
}

/** Deletes up to `limit` leases that begin with `prefix` and ended more than `ms` ago; answers with their number. */
export async function deleteEnded(database: Queryable, prefix: string, ms: number, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM leases WHERE name IN (
          SELECT name FROM leases
          WHERE starts_with(name, $1) AND expires_at < now() - $2 * interval '1 millisecond' LIMIT $3
        ) RETURNING name`,
    },
    [prefix, ms, limit],
  );
  return rows.length;
}

function acquireIn(table: string): Statement {
  return {
    name: `acquire in ${table}`,
    text: `
      INSERT INTO ${table} AS l (name, holder, term, expires_at)
      VALUES ($1, $2, 1, now() + $3 * interval '1 millisecond')
      ON CONFLICT (name) DO UPDATE
        SET holder = EXCLUDED.holder,
            term = CASE WHEN l.holder = EXCLUDED.holder AND l.expires_at > now() THEN l.term ELSE l.term + 1 END,
            expires_at = EXCLUDED.expires_at
        WHERE l.holder = EXCLUDED.holder OR l.expires_at <= now()
      RETURNING term`,
  };
}
