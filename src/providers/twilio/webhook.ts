/** Twilio's status callbacks: "Track outbound message status" and "Webhooks security" (twilio.com/docs). */
import type twilio from 'twilio';
import { z } from 'zod';
import { webhookProcess } from '../../catalogue/webhook-process';
import { asReport, opened, type OpenWebhook, type ReadEvent } from '../webhook';

const callback = z.object({
  MessageSid: z.string().regex(/^(SM|MM)[0-9a-f]{32}$/i),
  MessageStatus: z.string(),
  ErrorCode: z.string().optional(),
});

/** States after which a message has no other. */
const LAST = ['delivered', 'undelivered', 'failed'];

/** Tells a callback whose message it is about: the address is signed as well. */
const JOB_ID = 'job_id';

/** Where Twilio is to report about the message of a job. */
export function callbackAddress(endpoint: string, jobId: string): string {
  return `${endpoint}?${new URLSearchParams({ [JOB_ID]: jobId }).toString()}`;
}

/**
 * A callback has no id and no time. It is known by its message and state, so that one that comes again is the same.
 * @param publicOrigin what stands before the path in the address that Twilio calls
 */
export function openTwilioWebhook(authToken: string, publicOrigin: string): OpenWebhook {
  return ({ body, target, header }) => {
    const signature = header('X-Twilio-Signature');
    const form = new URLSearchParams(body.toString('utf8'));
    const fields = Object.fromEntries([...form.keys()].map((name) => [name, valuesOf(form, name)]));
    const url = `${publicOrigin}${target}`;
    if (signature === undefined || !isSigned(authToken, signature, url, fields)) return { kind: 'forged' };
    return opened([read(fields, new URL(url).searchParams.get(JOB_ID))]);
  };
}

function isSigned(authToken: string, signature: string, url: string, fields: Record<string, unknown>): boolean {
  const { validateRequest }: typeof twilio = require('twilio');
  return validateRequest(authToken, signature, url, fields);
}

/** One that comes several times is signed as a list. */
function valuesOf(form: URLSearchParams, name: string): string | string[] {
  const [first = '', ...others] = form.getAll(name);
  return others.length === 0 ? first : [first, ...others];
}

function read(fields: unknown, jobId: string | null): ReadEvent {
  const parsed = callback.safeParse(fields).data;
  if (!parsed) return 'unreadable';
  const { MessageSid: sid, MessageStatus: status, ErrorCode: code } = parsed;
  if (!LAST.includes(status)) return 'ignored';
  const ours = z.uuid().safeParse(jobId).data;
  return asReport(webhookProcess.payload, {
    provider: 'twilio',
    eventId: `${sid}-${status}`,
    event: status,
    objectId: sid,
    ...(ours === undefined ? {} : { jobId: ours }),
    ...(code ? { code } : {}),
  });
}
