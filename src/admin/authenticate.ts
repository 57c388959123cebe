import { createHash, timingSafeEqual, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { HttpError } from './errors';
import { toPrincipal, type Principal } from './principal';

/** Where the keys come from that tokens are verified with. */
export interface KeySource {
  /**
   * The key of this id, or the only one there is where a token names none; undefined when there is no such key.
   * @throws KeysUnavailableError when nobody can tell just now
   */
  find(keyId: string | undefined): Promise<KeyObject | undefined>;
}

export class KeysUnavailableError extends Error {
  override name = 'KeysUnavailableError';
}

/** Clocks of servers differ by so much without anybody's fault. */
const CLOCK_TOLERANCE_SECONDS = 5;

export class Authenticator {
  /** @param keys undefined when none are configured: then nobody can be told from anybody else */
  constructor(
    private readonly keys: KeySource | undefined,
    private readonly expected: { issuer: string | undefined; audience: string | undefined },
  ) {}

  /** Whether any token can be verified at all. */
  get hasKeys(): boolean {
    return this.keys !== undefined;
  }

  /** @throws HttpError when the header holds no token that can be trusted */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (!this.keys) throw new HttpError('AUTHENTICATION_UNAVAILABLE');
    const token = bearerOf(authorization);
    const keyId = token === undefined ? undefined : keyIdOf(token);
    if (token === undefined || !keyId) throw new HttpError('UNAUTHENTICATED');
    const key = await findKey(this.keys, keyId.value);
    const principal = key && toPrincipal(this.verify(token, key));
    if (!principal) throw new HttpError('UNAUTHENTICATED');
    return principal;
  }

  private verify(token: string, key: KeyObject): unknown {
    const { issuer, audience } = this.expected;
    try {
      return jwt.verify(token, key, {
        // Never what the token itself asks for: a public key would pass as the secret of an HMAC.
        algorithms: ['RS256'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
    } catch (error) {
      throw new HttpError(error instanceof jwt.TokenExpiredError ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED');
    }
  }
}

/** Whether the header holds this very token. How long the answer takes tells nothing about it. */
export function isBearer(authorization: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(bearerOf(authorization) ?? ''), digest(token));
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** What an unverified token says about its key; undefined when it is not a token at all. */
function keyIdOf(token: string): { value: string | undefined } | undefined {
  try {
    const decoded = jwt.decode(token, { complete: true });
    return decoded ? { value: decoded.header.kid } : undefined;
  } catch {
    return undefined;
  }
}

async function findKey(keys: KeySource, keyId: string | undefined): Promise<KeyObject | undefined> {
  try {
    return await keys.find(keyId);
  } catch (error) {
    if (error instanceof KeysUnavailableError) throw new HttpError('AUTHENTICATION_UNAVAILABLE');
    throw error;
  }
}
