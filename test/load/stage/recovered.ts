import { randomBytes } from 'node:crypto';
import { waitFor } from '../../../tools/services/wait';
import { BASE_PATH } from '../../../src/contract/http';
import { freePort } from './contestants';

const LIMIT_MS = 120_000;
/** The last thing that the reconciler does after a start. */
const DONE = /^recovery_passes_total\{[^}]*reason="overdue"[^}]*\} [1-9]/m;

/** Variables that let a service be asked for its metrics. */
export type Observable = { PORT: string; METRICS_TOKEN: string };

export async function observable(): Promise<Observable> {
  return { PORT: String(await freePort()), METRICS_TOKEN: randomBytes(16).toString('hex') };
}

/** Waits until a service has gone through all open jobs, as it does once after its start. */
export async function untilRecovered(variables: Observable): Promise<void> {
  await waitFor('the first passes over the open jobs', LIMIT_MS, async () => {
    const answer = await fetch(`http://127.0.0.1:${variables.PORT}${BASE_PATH}/metrics/prometheus`, {
      headers: { authorization: `Bearer ${variables.METRICS_TOKEN}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status !== 200) throw new Error(`metrics: ${answer.status} ${await answer.text()}`);
    return DONE.test(await answer.text());
  });
}
