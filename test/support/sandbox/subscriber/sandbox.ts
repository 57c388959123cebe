/**
 * Somebody who is called back, over TLS: what comes is checked by the library that Standard Webhooks gives to receivers, with
 * the secret that the subscriber was told.
 */
import { Webhook } from 'standardwebhooks';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { serveStandIn, underFaults, type StandIn } from '../serve';

/** A call that was taken. */
export interface ReceivedCall {
  path: string;
  id: string;
  /** How many secrets have signed it. */
  signatures: number;
  event: unknown;
}

export interface Subscriber extends StandIn<ReceivedCall> {
  /** By which calls are checked from now on; those before are good no longer. */
  secret: string | undefined;
  /** Where calls to `/redirect` are sent, and by which status. */
  redirect: { status: number; location: string };
}

class Receiver {
  readonly faults = new FaultPlan();
  calls = 0;
  secret: string | undefined;
  redirect = { status: 307, location: '/' };
  readonly #received: ReceivedCall[] = [];

  ledger(): ReceivedCall[] {
    return [...this.#received];
  }

  handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    return underFaults(this.faults, request, {}, (fault) => Promise.resolve(this.#answer(request, fault)));
  }

  #answer({ path, headers, body }: SandboxRequest, fault: ActiveFault | undefined): SandboxReply {
    if (fault?.kind === 'rate-limit') {
      return { status: 429, headers: { 'retry-after': String(fault.retryAfterSeconds) } };
    }
    if (fault?.kind === 'unavailable') return { status: 503 };
    if (path === '/redirect') return { status: this.redirect.status, headers: { location: this.redirect.location } };
    if (path === '/gone') return { status: 410 };
    if (path === '/large') return { status: 200, body: { text: 'x'.repeat(10_000_000) } };
    const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    let event: unknown;
    try {
      event = new Webhook(this.secret ?? '').verify(body, texts);
    } catch {
      return { status: 401 };
    }
    const signatures = (texts['webhook-signature'] ?? '').split(' ').length;
    this.#received.push({ path, id: texts['webhook-id'] ?? '', signatures, event });
    return { status: fault?.kind === 'fail-after-effect' ? 500 : 204 };
  }
}

export async function startSubscriber(): Promise<Subscriber> {
  const receiver = new Receiver();
  const standIn = await serveStandIn(receiver, 'calls', { tls: true });
  return {
    ...standIn,
    get secret() {
      return receiver.secret;
    },
    set secret(secret) {
      receiver.secret = secret;
    },
    get redirect() {
      return receiver.redirect;
    },
    set redirect(redirect) {
      receiver.redirect = redirect;
    },
  };
}
