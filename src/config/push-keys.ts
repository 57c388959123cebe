import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** Where Google gives out tokens to service accounts that name no other place. */
const GOOGLE_TOKENS = 'https://oauth2.googleapis.com/token';

const fields = z.object({
  project_id: z.string().regex(/^[a-z0-9.:-]{1,100}$/),
  client_email: z.email(),
  private_key: z.string().refine(isRsaKey),
  token_uri: z.url({ protocol: /^https?$/ }).default(GOOGLE_TOKENS),
});

/** A service account's JSON → what FCM needs of it. What is wrong is told without a word of what it holds. */
export const serviceAccount = z.string().transform((text, context) => {
  const parsed = fields.safeParse(parseJson(text));
  if (parsed.success) {
    const { project_id: projectId, client_email: clientEmail, private_key: privateKey, token_uri } = parsed.data;
    return { projectId, clientEmail, privateKey, tokenUri: token_uri };
  }
  const names = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'JSON')))];
  context.addIssue(`is no service account, see: ${names.join(', ')}`);
  return z.NEVER;
});

/** A key of VAPID (RFC 8292): of P-256, in base64url. */
export function vapidKey(length: number) {
  return z.string().refine((text) => /^[\w-]+$/.test(text) && Buffer.from(text, 'base64url').length === length, {
    error: `must be ${length} bytes in base64url`,
  });
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
