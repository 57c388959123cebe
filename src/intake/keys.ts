import { createHmac } from 'node:crypto';
import { canonicalJson } from '../platform/canonical-json';
import { sha256, uuidOf } from '../platform/ids';

/** Raised when the way to compute fingerprints changes, so that old ones are not compared with new ones. */
const FINGERPRINT_VERSION = 1;

/** What a request asks for, whoever asks: type and payload as received, before any default. */
export function fingerprintOf(type: string, data: unknown): string {
  return `${FINGERPRINT_VERSION}:${sha256(canonicalJson([type, data]))}`;
}

/** Who asks: the event, and for a job that a domain event asks for, which of its jobs. Never a trace or request id. */
export function requestKeyOf(source: string, id: string, mapped?: { mapping: string; index: number }): string {
  return digestUuid(mapped ? [source, id, mapped.mapping, mapped.index] : [source, id]);
}

/** The key as it is unique among live jobs. A caller's key belongs to its source, a default key to the job type. */
export function liveKeyOf(type: string, scope: string, key: string): string {
  return digestUuid([type, scope, key]);
}

/** Whose key it is, and what it says: the same word in another mouth is another key. */
export function orderingKeyOf({ scope, key }: { scope: string; key: string }): string {
  return digestUuid([scope, key]);
}

/** Default keys are made of payload values, addresses among them: only this leaves the process. */
export function hiddenKey(secret: string, key: string): string {
  return `default-${createHmac('sha256', secret).update(key, 'utf8').digest('hex').slice(0, 48)}`;
}

/** A SHA-256 in the shape of a UUID (version 8 of RFC 9562: "custom"). */
function digestUuid(parts: unknown[]): string {
  return uuidOf(sha256(canonicalJson(parts)), '8');
}
