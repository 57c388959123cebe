/** How stand-ins call the service: what they send is signed as the provider signs it, by whoever composes the request. */
export interface Webhook {
  body: string;
  headers: Record<string, string>;
}

/** What stand-ins in a process of their own sign Stripe's webhooks with. Known to everybody. */
export const SANDBOX_STRIPE_SECRET = 'whsec_sandbox';

const LIMIT_MS = 10_000;

/** Sends a webhook, and answers with the status that it was answered with. */
export async function postWebhook(url: string, { body, headers }: Webhook): Promise<number> {
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(LIMIT_MS) });
  await answer.arrayBuffer();
  return answer.status;
}

const TRIES = 5;
const PAUSE_MS = 1_000;

/** Sends a webhook as providers do that nobody watches: again, when it was not taken, and not for ever. */
export async function keepPosting(url: string, webhook: () => Webhook): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const status = await postWebhook(url, webhook()).catch(() => 0);
    if (status >= 200 && status < 300) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries).unref());
  }
}
