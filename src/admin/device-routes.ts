/** The devices on which a user's notifications are shown: apps register them, by the user's own token. */
import type { Request } from 'express';
import { z } from 'zod';
import { deviceRegistration, type DeviceRegistration } from '../contract/devices';
import { problemsOf } from '../contract/problems';
import type { Logger } from '../platform/logger';
import type { DeviceView } from '../providers/device-registry';
import { readJson } from './body';
import { HttpError } from './errors';
import type { Principal } from './principal';
import type { Route } from './route';
import { askStore } from './store';

export interface DeviceSteps {
  register: (userId: string, device: DeviceRegistration) => Promise<{ id: string; created: boolean }>;
  list: (userId: string) => Promise<DeviceView[]>;
  remove: (userId: string, deviceId: string) => Promise<boolean>;
}

const ROLES = ['user', 'service', 'admin'] as const;
const PATH = '/users/:id/devices';
const uuid = z.uuid();

export function deviceRoutes(steps: DeviceSteps, timeoutMs: number, log: Logger): Route[] {
  const ask = <Value>(work: () => Promise<Value>): Promise<Value> =>
    askStore(work, { what: 'devices', timeoutMs, log });
  return [
    {
      method: 'post',
      path: PATH,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const userId = userOf(request, principal);
        const device = deviceRegistration.safeParse(await readJson(request, response));
        if (!device.success) throw new HttpError('INVALID_REQUEST', problemsOf(device.error, '(body)'));
        const { id, created } = await ask(() => steps.register(userId, device.data));
        response.status(created ? 201 : 200).json({ deviceId: id, platform: device.data.platform });
      },
    },
    {
      method: 'get',
      path: PATH,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const userId = userOf(request, principal);
        const devices = await ask(() => steps.list(userId));
        response.json({ devices: devices.map(({ id, ...rest }) => ({ deviceId: id, ...rest })) });
      },
    },
    {
      method: 'delete',
      path: `${PATH}/:deviceId`,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const userId = userOf(request, principal);
        const deviceId = uuid.safeParse(request.params['deviceId']).data;
        const removed = deviceId !== undefined && (await ask(() => steps.remove(userId, deviceId)));
        if (!removed) throw new HttpError('NOT_FOUND');
        response.status(204).end();
      },
    },
  ];
}

/** @throws HttpError when it is somebody else, or nobody */
function userOf(request: Request, { role, id }: Principal): string {
  const userId = uuid.safeParse(request.params['id']).data;
  if (userId === undefined || (role === 'user' && userId !== id)) throw new HttpError('NOT_FOUND');
  return userId;
}
