import { randomUUID } from 'node:crypto';
import type { DeviceRegistration } from '../../src/contract/devices';
import { registerDevice } from '../../src/providers/device-registry';
import { openDatabase } from './records';

/** A sound payload of `send-push`, each to another user. */
export function notification(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { userId: randomUUID(), title: 'Doors open', body: 'Gate 4, from 18:00', data: { eventId: '1' }, ...over };
}

/** A user with these devices, the last one seen first. */
export async function userWith(databaseUrl: string, devices: DeviceRegistration[]): Promise<string> {
  const userId = randomUUID();
  const database = openDatabase(databaseUrl);
  try {
    for (const device of devices) await registerDevice(database, userId, device);
  } finally {
    await database.close();
  }
  return userId;
}

export function phone(token: string = randomUUID()): DeviceRegistration {
  return { platform: 'android', token };
}
