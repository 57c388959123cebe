import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** RS256 with less is refused by RFC 7518, section 3.3. */
const MIN_MODULUS_BITS = 2_048;

/** A PEM text → the key that tokens are verified with. Where line ends cannot be written, `\n` stands for them. */
export const jwtPublicKey = z.string().transform((text, context): KeyObject => {
  const pem = text.replaceAll(String.raw`\n`, '\n');
  const problem = problemOf(pem);
  if (problem === undefined) return createPublicKey(pem);
  context.addIssue(problem);
  return z.NEVER;
});

function problemOf(pem: string): string | undefined {
  if (pem.includes('PRIVATE KEY')) return 'is a private key, which has no place here';
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    if (asymmetricKeyType !== 'rsa') return 'must be an RSA key';
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    return bits < MIN_MODULUS_BITS ? `must have at least ${MIN_MODULUS_BITS} bits, has ${bits}` : undefined;
  } catch {
    return 'is not a public key in PEM';
  }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Keys that somebody on the way could change would be no keys at all. */
export const jwksUrl = z.url({ protocol: /^https?$/, error: 'must be a URL of https' }).refine((text) => {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || LOOPBACK.includes(hostname);
}, 'must be a URL of https, but on the loopback interface');
