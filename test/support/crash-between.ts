import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Harness } from './harness';
import { ServiceProcess } from './service-process';

interface CrashPlan {
  step: string;
  when: 'before' | 'after';
  /** Which call of the step, beginning with 1. */
  call: number;
}

/** Runs a service that is killed at that step of what `ask` asks for; answers with what `ask` does. */
export async function killedBetween<Asked>(
  harness: Harness,
  variables: Record<string, string>,
  plan: CrashPlan,
  ask: () => Promise<Asked>,
): Promise<Asked> {
  const folder = mkdtempSync(path.join(tmpdir(), 'killed-'));
  const doomed = new ServiceProcess('test/support/crash-child.ts', {
    ...harness.environment.variables,
    ...variables,
    CRASH_PLAN: JSON.stringify({ ...plan, token: path.join(folder, randomUUID()) }),
  });
  try {
    const asked = await ask();
    const end = await doomed.exited;
    if (end !== 'SIGKILL') throw new Error(`the service was not killed, but ended with ${end}`);
    return asked;
  } finally {
    await doomed.end();
    rmSync(folder, { recursive: true });
  }
}
