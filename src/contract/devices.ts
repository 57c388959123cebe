/** Devices as apps register them: the bodies of `POST /users/:id/devices`. */
import { z } from 'zod';

/** Google names no limit; theirs are far shorter. */
const MAX_TOKEN = 4_096;
const MAX_ENDPOINT = 2_000;
/** An uncompressed point of P-256, and the authentication secret (RFC 8291, 3.1 and 3.2). */
const P256DH_BYTES = 65;
const AUTH_BYTES = 16;

const bytes = (length: number) =>
  z
    .string()
    .max(200)
    .refine((text) => /^[\w-]+=*$/.test(text) && Buffer.from(text, 'base64url').length === length, {
      error: `is not ${length} bytes in base64url`,
    });

/** What `PushSubscription.toJSON()` of a browser says. */
const subscription = z.strictObject({
  endpoint: z.url({ protocol: /^https$/, error: 'is not a URL of https' }).max(MAX_ENDPOINT),
  keys: z.strictObject({ p256dh: bytes(P256DH_BYTES), auth: bytes(AUTH_BYTES) }),
  expirationTime: z.number().nullish(),
});

export const deviceRegistration = z.discriminatedUnion('platform', [
  z.strictObject({
    platform: z.enum(['android', 'ios', 'web']),
    /** The registration token that FCM gave to the app. */
    token: z
      .string()
      .min(1)
      .max(MAX_TOKEN)
      .regex(/^[\x21-\x7e]+$/, 'must be of visible ASCII characters'),
  }),
  z.strictObject({ platform: z.literal('web-push'), subscription }),
]);

export type DeviceRegistration = z.infer<typeof deviceRegistration>;
export type DevicePlatform = DeviceRegistration['platform'];
