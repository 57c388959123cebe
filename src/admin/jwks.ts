/**
 * The public keys of whoever issues the tokens (RFC 7517), kept here. They are fetched at start, when a token names a
 * key that is not known, and when they have become old; while the endpoint is away, the keys that are known stay good.
 * A key that the endpoint no longer lists is forgotten with the next fetch.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { KeysUnavailableError, type KeySource } from './authenticate';

export interface JwksOptions {
  url: string;
  /** For one fetch. */
  timeoutMs: number;
  /** Unknown key ids, which anybody can make up, cause at most one fetch in this time. */
  intervalMs: number;
  /** The same after a fetch that failed. */
  retryMs: number;
  /** Keys older than this are fetched again, in the background. */
  maxAgeMs: number;
}

/** RS256 with less is refused by RFC 7518, section 3.3. */
const MIN_MODULUS_BITS = 2_048;
const MAX_KEYS = 100;

const keySet = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) });
const rsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string().optional(),
  use: z.literal('sig').optional(),
  alg: z.literal('RS256').optional(),
  n: z.string(),
  e: z.string(),
});

export class JwksKeys implements KeySource {
  private keys: { id: string | undefined; key: KeyObject }[] = [];
  private askedAt = -Infinity;
  private failed = true;
  private asking: Promise<void> | undefined;

  constructor(
    private readonly options: JwksOptions,
    private readonly log: Logger,
  ) {}

  /** Fetches the keys for the first time. Does not fail: they may come later. */
  start(): Promise<void> {
    return this.refresh();
  }

  async find(keyId: string | undefined): Promise<KeyObject | undefined> {
    const known = this.pick(keyId);
    if (known) {
      if (performance.now() - this.askedAt > this.options.maxAgeMs) void this.refresh();
      return known;
    }
    await this.refresh();
    const found = this.pick(keyId);
    if (!found && this.failed) throw new KeysUnavailableError('the key set cannot be fetched');
    return found;
  }

  private pick(keyId: string | undefined): KeyObject | undefined {
    if (keyId !== undefined) return this.keys.find(({ id }) => id === keyId)?.key;
    return this.keys.length === 1 ? this.keys[0]?.key : undefined;
  }

  /** Never rejects. Those who come while a fetch is under way share it. */
  private async refresh(): Promise<void> {
    const pause = this.failed ? this.options.retryMs : this.options.intervalMs;
    if (!this.asking && performance.now() - this.askedAt < pause) return;
    this.asking ??= this.fetchKeys().finally(() => {
      this.askedAt = performance.now();
      this.asking = undefined;
    });
    await this.asking;
  }

  private async fetchKeys(): Promise<void> {
    try {
      const answer = await fetch(this.options.url, {
        headers: { accept: 'application/json' },
        // It could lead to where nobody proves who they are.
        redirect: 'error',
        signal: AbortSignal.timeout(this.options.timeoutMs),
      });
      if (!answer.ok) throw new Error(`the key set was answered with status ${answer.status}`);
      this.keys = usableKeys(await answer.json());
      this.failed = false;
    } catch (error) {
      this.failed = true;
      this.log.warn('token keys not fetched', { error: describeError(error) });
    }
  }
}

/** Keys for other purposes, and weak ones, are passed over. @throws when nothing is left */
function usableKeys(answer: unknown): { id: string | undefined; key: KeyObject }[] {
  const keys = keySet.parse(answer).keys.flatMap((entry) => {
    const { data } = rsaKey.safeParse(entry);
    const key = data && toKey({ kty: data.kty, n: data.n, e: data.e });
    return key ? [{ id: data.kid, key }] : [];
  });
  if (keys.length === 0) throw new Error('the key set holds no RSA key of 2048 bits for signatures');
  return keys;
}

function toKey(jwk: { kty: 'RSA'; n: string; e: string }): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_MODULUS_BITS ? key : undefined;
  } catch {
    return undefined;
  }
}
