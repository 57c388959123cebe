import { waitFor } from '../services/wait';

const ANSWER_LIMIT_MS = 5_000;

/** Resolves when the service at this URL takes work. @param stillRunning throws when it never will */
export async function untilReady(serviceUrl: string, limitMs: number, stillRunning: () => void): Promise<void> {
  await waitFor('the service', limitMs, async () => {
    stillRunning();
    try {
      const answer = await fetch(`${serviceUrl}/api/v1/queue/health/ready`, {
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      return answer.ok;
    } catch {
      return false;
    }
  });
}
