/**
 * The secrets of subscriptions. They are kept nowhere: each is derived from the secret of the configuration, so that who reads
 * the database can sign nothing, and none must be encrypted or forgotten.
 */
import { hkdfSync } from 'node:crypto';
import type { SecretVersions } from './rows';

/** Standard Webhooks asks for 24 to 64. */
const BYTES = 32;

/** As its subscriber is told it: `whsec_` and base64. */
export function secretOf(master: string, subscriptionId: string, version: number): string {
  const info = `webhook-subscription:${subscriptionId}:${version}`;
  return `whsec_${Buffer.from(hkdfSync('sha256', master, '', info, BYTES)).toString('base64')}`;
}

/** Those that sign what is sent now, the latest first. */
export function secretsInForce(
  master: string,
  subscriptionId: string,
  { version, previousUntil }: SecretVersions,
  now: Date,
): string[] {
  const versions =
    previousUntil !== undefined && previousUntil > now && version > 1 ? [version, version - 1] : [version];
  return versions.map((one) => secretOf(master, subscriptionId, one));
}
