import { deleteEnded, Lease, readEnded } from '../platform/lease';
import type { Component } from '../platform/lifecycle';
import type { Queryable } from '../platform/postgres/database';
import { leaseDatabase, type Foundation } from './foundation';

/**
 * A worker lives as long as it holds a lease that is named after it. Redis finds abandoned jobs by their locks; this is
 * for when the locks went with Redis, and the worker with them.
 */
const PREFIX = 'worker:';

/** Longer than any attempt lasts: what was run by somebody who died before that is over anyhow. */
const REMEMBER_MS = 60 * 60 * 1_000;

export function composeWorkerLife(foundation: Foundation): Component {
  const { config, log } = foundation;
  const lease = new Lease(
    leaseDatabase(foundation),
    { name: `${PREFIX}${config.instance}`, holder: config.instance, ttlMs: config.recovery.leaseMs },
    log,
  );
  return { name: 'worker life', start: () => Promise.resolve(lease.start()), stop: () => lease.stop() };
}

/** The instances of workers that died lately. One of whom nothing is known may live. */
export async function readDeadWorkers(database: Queryable): Promise<string[]> {
  return (await readEnded(database, PREFIX, REMEMBER_MS)).map((name) => name.slice(PREFIX.length));
}

/** Answers with the number of those that were forgotten, up to `limit`. */
export function forgetDeadWorkers(database: Queryable, limit: number): Promise<number> {
  return deleteEnded(database, PREFIX, REMEMBER_MS, limit);
}
