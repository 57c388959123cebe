import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { waitFor } from '../../../tools/services/wait';
import type { Build } from './build';
import type { Place, PlacesDatabase } from './place';
import type { Program, ProgramOptions } from './program';

/** Somebody who can do the work: takes requests from the broker, and publishes an outcome for each. */
export interface Contestant {
  name: string;
  /** An empty one without it. */
  database?: PlacesDatabase;
  /** Its process. */
  program: (place: Place, logFile: string) => Promise<ContestantProgram>;
}

export interface ContestantProgram extends ProgramOptions {
  /** Resolves when it takes requests. */
  ready: (program: Program) => Promise<unknown>;
}

const READY_LIMIT_MS = 60_000;
const PROGRAMS = path.join(__dirname, '../programs');
/** For the bench's own programs, which are not built. */
export const TYPESCRIPT = ['--import', 'tsx'];

const answersFirst = (program: Program): Promise<unknown> => program.ask({ ask: 'ready' }, z.null(), READY_LIMIT_MS);

export const bare: Contestant = {
  name: 'bare',
  program: (place, logFile) =>
    Promise.resolve({
      name: 'the bare pipeline',
      file: path.join(PROGRAMS, 'bare-pipeline.ts'),
      nodeOptions: TYPESCRIPT,
      cwd: path.join(__dirname, '../../..'),
      variables: place.variables,
      logFile,
      ready: answersFirst,
    }),
};

/** The service as it is deployed: its build, in a process of its own, with nothing turned off. */
export function service(name: string, build: Build, variables: Record<string, string> = {}): Contestant {
  return {
    name,
    database: { copyOf: build.template },
    program: async (place, logFile) => {
      const port = variables['PORT'] === undefined ? await freePort() : Number(variables['PORT']);
      return {
        name: `the service (${name})`,
        file: path.join(build.folder, 'dist/main.js'),
        nodeOptions: ['--expose-gc', '--require', path.join(PROGRAMS, 'probe.cjs')],
        cwd: build.folder,
        variables: {
          ...place.variables,
          PORT: String(port),
          IDEMPOTENCY_KEY_SECRET: randomBytes(32).toString('hex'),
          // Canaries touch nothing outside; the port is that of nobody.
          STRIPE_SECRET_KEY: 'sk_test_bench',
          STRIPE_API_BASE: 'http://127.0.0.1:9',
          ...variables,
        },
        logFile,
        ready: (started) => answersReady(started, port),
      };
    },
  };
}

async function answersReady(program: Program, port: number): Promise<void> {
  await waitFor('the service', READY_LIMIT_MS, async () => {
    if (!program.running) await program.death();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/queue/health/ready`, {
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  });
}

/** Free when it was looked for. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
