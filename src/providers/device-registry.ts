/** Where the notifications of a user are shown: PostgreSQL's table `device_tokens`. */
import { z } from 'zod';
import type { DevicePlatform, DeviceRegistration } from '../contract/devices';
import { sha256, uuidV7 } from '../platform/ids';
import type { Queryable } from '../platform/postgres/database';

/** A device with what is needed to reach it. */
export type Device = { id: string; seenAt: Date } & (
  { token: string } | { subscription: { endpoint: string; keys: { p256dh: string; auth: string } } }
);

/** A device as its user may see it: tokens and endpoints are as good as keys to it. */
export interface DeviceView {
  id: string;
  platform: DevicePlatform;
  createdAt: Date;
  lastSeenAt: Date;
}

/** More than anybody uses; of a user who has more, those that were not seen for longest are forgotten. */
export const MAX_DEVICES = 20;

const storedSubscription = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
});

interface Row {
  id: string;
  token: string | null;
  subscription: unknown;
  last_seen_at: Date;
}

/** Those that a message for the user goes to, the last seen first. */
export async function readDevices(database: Queryable, userId: string): Promise<Device[]> {
  const rows = await database.query<Row>(OF_USER, [userId, MAX_DEVICES]);
  return rows.map(({ id, token, subscription, last_seen_at: seenAt }) =>
    token === null ? { id, seenAt, subscription: storedSubscription.parse(subscription) } : { id, seenAt, token },
  );
}

/** Forgets a device that takes no messages any more, unless it was registered again meanwhile. */
export async function dropDevice(database: Queryable, { id, seenAt }: Pick<Device, 'id' | 'seenAt'>): Promise<void> {
  await database.query(DROP, [id, seenAt]);
}

/** Registered again, a device keeps its id; by another user, it is that user's from now on. */
export async function registerDevice(
  database: Queryable,
  userId: string,
  device: DeviceRegistration,
): Promise<{ id: string; created: boolean }> {
  const isToken = device.platform !== 'web-push';
  const address = isToken ? device.token : device.subscription.endpoint;
  const subscription = isToken ? null : JSON.stringify(device.subscription);
  const values = [uuidV7(), userId, device.platform, isToken ? device.token : null, subscription, sha256(address)];
  const [row] = await database.query<{ id: string; created: boolean }>(REGISTER, values);
  if (!row) throw new Error('a registered device has no row');
  await database.query(FORGET_EXCESS, [userId, MAX_DEVICES]);
  return row;
}

export async function listDevices(database: Queryable, userId: string): Promise<DeviceView[]> {
  const rows = await database.query<{
    id: string;
    platform: DevicePlatform;
    created_at: Date;
    last_seen_at: Date;
  }>(LIST, [userId, MAX_DEVICES]);
  return rows.map(({ id, platform, created_at: createdAt, last_seen_at: lastSeenAt }) => ({
    id,
    platform,
    createdAt,
    lastSeenAt,
  }));
}

/** Answers whether the user had it. */
export async function removeDevice(database: Queryable, userId: string, id: string): Promise<boolean> {
  return (await database.query(REMOVE, [id, userId])).length > 0;
}

const OF_USER = {
  name: 'devices-of-user',
  text: `
    SELECT id, token, subscription, last_seen_at FROM device_tokens
    WHERE user_id = $1 ORDER BY last_seen_at DESC, id DESC LIMIT $2`,
};

const LIST = {
  name: 'devices-list',
  text: `
    SELECT id, platform, created_at, last_seen_at FROM device_tokens
    WHERE user_id = $1 ORDER BY last_seen_at DESC, id DESC LIMIT $2`,
};

/** JavaScript's times have no microseconds. */
const DROP = {
  name: 'devices-drop',
  text: `DELETE FROM device_tokens WHERE id = $1 AND date_trunc('milliseconds', last_seen_at) = $2`,
};

const REGISTER = {
  name: 'devices-register',
  text: `
    INSERT INTO device_tokens AS d (id, user_id, platform, token, subscription, address_digest)
    VALUES ($1, $2, $3, $4, $5, decode($6, 'hex'))
    ON CONFLICT (address_digest) DO UPDATE
    SET user_id = EXCLUDED.user_id, platform = EXCLUDED.platform, token = EXCLUDED.token,
      subscription = EXCLUDED.subscription, last_seen_at = now()
    RETURNING d.id, (d.id = $1) AS created`,
};

const FORGET_EXCESS = {
  name: 'devices-forget-excess',
  text: `
    DELETE FROM device_tokens WHERE id IN (
      SELECT id FROM device_tokens WHERE user_id = $1 ORDER BY last_seen_at DESC, id DESC OFFSET $2)`,
};

const REMOVE = {
  name: 'devices-remove',
  text: 'DELETE FROM device_tokens WHERE id = $1 AND user_id = $2 RETURNING id',
};
