import { z } from 'zod';
import { sha256 } from '../platform/ids';
import { line } from './email-templates';
import { defineJobType } from './job-type';

/** FCM and push services take 4 kB; encryption and what surrounds the message need their part of it. */
const MAX_BYTES = 3_500;
const MAX_BODY = 1_000;
const MAX_ENTRIES = 20;

/** FCM keeps some names for itself ("Data message" of its reference). */
const name = z
  .string()
  .regex(/^(?!google|gcm|from$|message_type$)[\w.-]{1,60}$/, 'is not a name that an app can be given');

const payload = z
  .strictObject({
    userId: z.uuid(),
    title: line(200),
    body: z
      .string()
      .max(MAX_BODY)
      .regex(/\S/, 'is blank')
      .regex(/^(?:[^\p{Cc}\p{Cs}]|\n)*$/u, 'contains control characters other than line feeds'),
    /** What the app is told beside it, which reads every value as text. */
    data: z
      .record(name, z.union([z.string().max(1_000), z.number(), z.boolean()]))
      .refine((data) => Object.keys(data).length <= MAX_ENTRIES, `has more than ${MAX_ENTRIES} entries`)
      .optional(),
  })
  .refine(({ title, body, data }) => Buffer.byteLength(JSON.stringify({ title, body, data })) <= MAX_BYTES, {
    error: `title, body and data have more than ${MAX_BYTES} bytes together`,
  });

const result = z.strictObject({
  /** How many devices have it. */
  delivered: z.int(),
  /** How many devices were forgotten, since they take no messages any more. */
  dropped: z.int(),
  /** How many devices may not have it. */
  failed: z.int(),
  sentAt: z.iso.datetime(),
});

export type PushPayload = z.infer<typeof payload>;
export type PushResult = z.infer<typeof result>;

/** Shows a notification on the devices of one user. */
export const sendPush = defineJobType({
  name: 'send-push',
  queue: 'communication',
  priority: 5,
  concurrency: 20,
  timeoutMs: 15_000,
  uses: 'push',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // The same notification twice within an hour is one notification.
  defaultKey: ({ userId, title, body }, { time }) => {
    const hour = time.toISOString().slice(0, 13);
    return `push-${userId}-${sha256(JSON.stringify([title, body])).slice(0, 16)}-${hour}`;
  },
});
