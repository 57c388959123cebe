import { z } from 'zod';
import { sendEmail, type EmailPayload } from '../catalogue/send-email';
import type { Sender, SendGridAdapter, SentMail } from '../providers/sendgrid/adapter';
import { createRenderer, type RenderedMail } from './email/render';
import { defineHandler, type UnkeyedEffect } from './handler';
import { done, failed } from './outcome';

export interface Mailer {
  sendgrid: SendGridAdapter;
  /** Who all mails are from. */
  from: Sender;
}

const sentMail = z.object({ messageId: z.string() });

/** Sends a mail. SendGrid takes no key: what becomes of one that may have been sent is for its template to say. */
export function sendEmailHandler(mailer: Mailer) {
  const render = createRenderer();
  return defineHandler(sendEmail, async (payload, context) => {
    if (payload.from !== undefined && !isSame(payload.from, mailer.from.email)) {
      return failed('SENDER_NOT_ALLOWED', 'mails are sent from the configured address alone', { replayable: false });
    }
    const sent = await context.effects.perform(sendEffect(mailer, context.jobId, payload, render(payload)));
    if (sent.kind === 'ended') return sent.outcome;
    if (sent.kind === 'declined') return failed(sent.code, sent.message, { replayable: false });
    const { to, template } = payload;
    return done({ messageId: sent.value.messageId, to, template, sentAt: new Date().toISOString() });
  });
}

function sendEffect(
  { sendgrid, from }: Mailer,
  jobId: string,
  { to, template }: EmailPayload,
  { policy, ...content }: RenderedMail,
): UnkeyedEffect<SentMail> {
  return {
    name: 'send',
    intent: { provider: 'sendgrid', template },
    value: sentMail,
    policy,
    call: (limits) => sendgrid.send({ jobId, to, from, category: template, ...content }, limits),
  };
}

/** Whoever owns a domain reads its addresses in either case. */
function isSame(address: string, other: string): boolean {
  return address.toLowerCase() === other.toLowerCase();
}
