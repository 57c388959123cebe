import { z } from 'zod';
import { sha256 } from '../platform/ids';
import { defineJobType } from './job-type';

/** What kinds of messages there are; `notice` is one of no other kind. */
const TEMPLATES = ['code', 'receipt', 'reminder', 'notice'] as const;

/** Twilio's limit; error 21617 beyond it. */
const MAX_LENGTH = 1_600;

const phoneNumber = z.e164('is not a number in E.164, such as +15550100000').meta({ examples: ['+15550100000'] });

const payload = z.strictObject({
  to: phoneNumber,
  template: z.enum(TEMPLATES).default('notice'),
  /** The text as it is sent. */
  message: z
    .string()
    .max(MAX_LENGTH)
    .regex(/\S/, 'is blank')
    .regex(/^(?:[^\p{Cc}\p{Cs}]|\n)*$/u, 'contains control characters other than line feeds'),
  /** The sender is configured; another one is refused when the message is to be sent. */
  from: phoneNumber.optional(),
});

const result = z.strictObject({
  /** Twilio's. */
  messageId: z.string(),
  to: z.string(),
  /** How many messages a phone puts together again, and Twilio bills. */
  segments: z.int(),
  sentAt: z.iso.datetime(),
});

export type SmsPayload = z.infer<typeof payload>;
export type SmsTemplate = SmsPayload['template'];

/** Sends one text message to one number. */
export const sendSms = defineJobType({
  name: 'send-sms',
  queue: 'communication',
  priority: 5,
  concurrency: 10,
  timeoutMs: 15_000,
  uses: 'twilio-sms',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // The same message twice within an hour is one message.
  defaultKey: ({ to, template, message }, { time }) => {
    const hour = time.toISOString().slice(0, 13);
    return `sms-${to}-${template}-${hour}-${sha256(message).slice(0, 16)}`;
  },
});
