import { hash, randomUUID } from 'node:crypto';

const NAMESPACE_BYTES = 16;

/** UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits, so that rows inserted together lie together. */
export function uuidV7(nowMs: number = Date.now()): string {
  // What is random in a UUIDv4 is random here, at the same places; Node draws it from a pool.
  return `${timeOf(nowMs)}-7${randomUUID().slice(15)}`;
}

/** The bound below all UUIDv7 of that moment and of later ones. */
export function uuidV7Floor(ms: number): string {
  return `${timeOf(ms)}-7000-8000-000000000000`;
}

/** UUIDv5 (RFC 9562) of a name within a namespace UUID: the same name always gives the same id. */
export function uuidV5(namespace: string, name: string): string {
  const bytes = Buffer.allocUnsafe(NAMESPACE_BYTES + Buffer.byteLength(name));
  bytes.write(namespace.replaceAll('-', ''), 'hex');
  bytes.write(name, NAMESPACE_BYTES);
  return uuidOf(hash('sha1', bytes), '5');
}

/** Lower-case hexadecimal SHA-256. */
export function sha256(content: string | Buffer): string {
  return hash('sha256', content);
}

/** The first 122 bits of a hexadecimal digest as a UUID of that version. */
export function uuidOf(hex: string, version: string): string {
  // The variant is in the two highest bits of its digit.
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function timeOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
