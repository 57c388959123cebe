/**
 * A push service and the browsers behind it (RFC 8030): it takes what is signed by the key that a browser has subscribed to,
 * and each browser opens what it gets with its own keys. Over TLS, which is the only way to a push service.
 */
import { createECDH, createPublicKey, randomBytes, randomUUID, type ECDH } from 'node:crypto';
import ece from 'http_ece';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { WebPushSubscription } from '../../../../src/providers/web-push/adapter';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { serveStandIn, underFaults, type StandIn } from '../serve';

/** What a browser shows. */
export interface ShownNotification {
  browser: string;
  topic: string;
  ttlSeconds: number;
  content: unknown;
}

interface Browser {
  keys: ECDH;
  authSecret: string;
  gone: boolean;
}

export interface WebPushSandbox extends StandIn<ShownNotification> {
  /** A browser whose user wants to be told. */
  subscribe(): { browser: string; subscription: WebPushSubscription };
  unsubscribe(browser: string): void;
}

/** RFC 8292: who sends tells by which key to verify it, and for which push service it is meant. */
const vapid = /^vapid t=([\w.-]+), k=([\w-]+)$/;
const headers = z.object({
  ttl: z.string().regex(/^\d+$/),
  topic: z.string().regex(/^[\w-]{1,32}$/),
  'content-encoding': z.literal('aes128gcm'),
});

class PushService {
  readonly faults = new FaultPlan();
  calls = 0;
  readonly #shown: ShownNotification[] = [];
  readonly #browsers = new Map<string, Browser>();

  constructor(private readonly vapidPublicKey: string) {}

  ledger(): ShownNotification[] {
    return [...this.#shown];
  }

  add(): { browser: string; keys: WebPushSubscription['keys'] } {
    const browser = randomUUID();
    const keys = createECDH('prime256v1');
    const authSecret = randomBytes(16).toString('base64url');
    const p256dh = keys.generateKeys('base64url');
    this.#browsers.set(browser, { keys, authSecret, gone: false });
    return { browser, keys: { p256dh, auth: authSecret } };
  }

  remove(browser: string): void {
    const known = this.#browsers.get(browser);
    if (known) known.gone = true;
  }

  handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    const metadata = { browser: request.path.slice(1) };
    return underFaults(this.faults, request, metadata, (fault) => this.#answer(request, fault));
  }

  async #answer(request: SandboxRequest, fault: ActiveFault | undefined): Promise<SandboxReply> {
    if (fault?.kind === 'rate-limit') {
      return { status: 429, headers: { 'retry-after': String(fault.retryAfterSeconds) } };
    }
    if (fault?.kind === 'unavailable') return { status: 503 };
    if (fault?.kind === 'unauthorized' || !this.#isOurs(request)) return { status: 403 };
    const browser = this.#browsers.get(request.path.slice(1));
    if (!browser) return { status: 404 };
    if (browser.gone) return { status: 410 };
    const read = headers.safeParse(request.headers);
    if (fault?.kind === 'bad-request' || !read.success) return { status: 400 };
    if (fault?.kind === 'fail-before-effect') return { status: 500 };
    const { keys: privateKey, authSecret } = browser;
    const opened = ece.decrypt(request.bytes, { version: 'aes128gcm', privateKey, authSecret });
    const { topic, ttl } = read.data;
    this.#shown.push({
      browser: request.path.slice(1),
      topic,
      ttlSeconds: Number(ttl),
      content: JSON.parse(opened.toString('utf8')),
    });
    return fault?.kind === 'fail-after-effect' ? { status: 500 } : { status: 201 };
  }

  #isOurs({ headers: { authorization = '', host = '' } }: SandboxRequest): boolean {
    const [, token = '', key = ''] = vapid.exec(authorization) ?? [];
    if (key !== this.vapidPublicKey) return false;
    const point = Buffer.from(key, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    if (x === undefined || y === undefined) return false;
    try {
      const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
      jwt.verify(token, publicKey, { algorithms: ['ES256'], audience: `https://${host}` });
      return true;
    } catch {
      return false;
    }
  }
}

export async function startWebPushSandbox(vapidPublicKey: string): Promise<WebPushSandbox> {
  const service = new PushService(vapidPublicKey);
  const standIn = await serveStandIn(service, 'notifications', { tls: true });
  return {
    ...standIn,
    subscribe: () => {
      const { browser, keys } = service.add();
      return { browser, subscription: { endpoint: `${standIn.url}/${browser}`, keys } };
    },
    unsubscribe: (browser) => service.remove(browser),
  };
}
