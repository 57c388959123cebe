import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** A comma list: each endpoint at Stripe has a secret of its own, and has two while one is exchanged. */
export const stripeWebhookSecrets = z
  .string()
  .transform((list) => list.split(',').map((secret) => secret.trim()))
  .pipe(z.array(z.string().regex(/^whsec_[\x21-\x7e]+$/, 'must be secrets that begin with whsec_')).min(1));

/** The key as SendGrid shows it: base64 of its DER, without the lines of PEM around it, which are taken as well. */
export const sendgridWebhookKey = z.string().transform((text, context): KeyObject => {
  const der = text.replaceAll(/-----[A-Z ]+-----|\\n|\s/g, '');
  try {
    const key = createPublicKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ec') return key;
  } catch {
    // Said below.
  }
  context.addIssue('is not a public key of an elliptic curve');
  return z.NEVER;
});

/** Where others find this service, without the base path of its API: what they sign begins so. */
export const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL of https or http' })
  .transform((url) => url.replace(/\/+$/, ''));
