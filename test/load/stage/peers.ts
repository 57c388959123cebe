import path from 'node:path';
import { z } from 'zod';
import type { Contestant } from './contestants';
import { installPackages } from './install';

const FOLDER = path.join(__dirname, '../peers');
const READY_LIMIT_MS = 60_000;

/** What others would use, with the glue that they would write for the same work; installed when they are first needed. */
export function installPeers(): void {
  installPackages(FOLDER);
}

/** Stored by PostgreSQL before they are acknowledged, one by one: what most people write. */
export const PLAIN_PEERS: readonly Contestant[] = [
  peer('pg-boss', 'pg-boss.mjs'),
  peer('graphile-worker', 'graphile-worker.mjs'),
  peer('BullMQ and a table', 'bullmq.mjs', '--recorded'),
];

/** Those with glue that stores requests in batches, and one that may lose and repeat jobs. */
export const OTHER_PEERS: readonly Contestant[] = [
  peer('pg-boss, batches', 'pg-boss.mjs', '--batches'),
  peer('graphile-worker, batches', 'graphile-worker.mjs', '--batches'),
  peer('BullMQ alone', 'bullmq.mjs'),
];

function peer(name: string, file: string, ...args: string[]): Contestant {
  return {
    name,
    program: (place, logFile) =>
      Promise.resolve({
        name,
        file: path.join(FOLDER, file),
        args,
        cwd: FOLDER,
        variables: place.variables,
        logFile,
        ready: (program) => program.ask({ ask: 'ready' }, z.null(), READY_LIMIT_MS),
      }),
  };
}
