import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import jwt, { type SignOptions } from 'jsonwebtoken';
import type { Role } from '../../src/contract/principals';

const FIVE_MINUTES = 300;

/** Issues tokens as the platform's identity provider would. */
export class TokenIssuer {
  private readonly privateKey: KeyObject;
  /** In PEM. */
  readonly publicKey: string;

  constructor(readonly keyId = 'test-key') {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    this.privateKey = pair.privateKey;
    this.publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** A good token; what `over` says replaces its claims, and undefined takes them away. */
  token(role: Role, over: Record<string, unknown> = {}, options: SignOptions = {}): string {
    return this.tokenWithoutKeyId(role, over, { keyid: this.keyId, ...options });
  }

  /** One that leaves open by which key it was signed. */
  tokenWithoutKeyId(role: Role, over: Record<string, unknown> = {}, options: SignOptions = {}): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = { id: `a-${role}`, role, exp: now + FIVE_MINUTES, ...over };
    const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    return jwt.sign(kept, this.privateKey, { algorithm: 'RS256', ...options });
  }

  /** One that says it was signed with a shared secret, which is the public key that everybody has. */
  tokenByPublicKey(role: Role, over: Record<string, unknown> = {}): string {
    // The library refuses to sign so; whoever attacks would not use it.
    return handmade({ alg: 'HS256', typ: 'JWT' }, { id: 'somebody', role, ...over }, this.publicKey);
  }

  /** One that says it needs no signature. */
  tokenUnsigned(role: Role, over: Record<string, unknown> = {}): string {
    return handmade({ alg: 'none', typ: 'JWT' }, { id: 'somebody', role, ...over }, undefined);
  }

  /** As a JWKS endpoint would list it. */
  jwk(): Record<string, unknown> {
    return { ...createPublicKey(this.publicKey).export({ format: 'jwk' }), kid: this.keyId, use: 'sig', alg: 'RS256' };
  }
}

function handmade(header: object, claims: object, secret: string | undefined): string {
  const exp = Math.floor(Date.now() / 1_000) + FIVE_MINUTES;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode(header)}.${encode({ ...claims, exp })}`;
  const signature = secret === undefined ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}
