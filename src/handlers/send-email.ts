import { z } from 'zod';
import { sendEmail } from '../catalogue/send-email';
import type { PlainAnswer } from '../providers/answer';
import type { Sender, SendGridAdapter } from '../providers/sendgrid/adapter';
import type { SuppressionList } from '../providers/suppression-list';
import { createRenderer, type RenderedMail } from './email/render';
import { defineHandler, type CallLimits } from './handler';
import { done, failed } from './outcome';

export interface Mailer {
  sendgrid: SendGridAdapter;
  /** Who all mails are from. */
  from: Sender;
  suppressions: SuppressionList;
}

const delivery = z.object({ messageId: z.string(), recipients: z.int(), suppressed: z.int() });
type Delivery = z.infer<typeof delivery>;

/** Sends a mail. SendGrid takes no key: what becomes of one that may have been sent is for its template to say. */
export function sendEmailHandler(mailer: Mailer) {
  const render = createRenderer();
  return defineHandler(sendEmail, async (payload, context) => {
    const { jobId } = context;
    const { to, template } = payload;
    if (payload.from !== undefined && !isSame(payload.from, mailer.from.email)) {
      return failed('SENDER_NOT_ALLOWED', 'mails are sent from the configured address alone', { replayable: false });
    }
    const mail = render(payload, jobId);
    const sent = await context.effects.perform({
      name: 'send',
      intent: { provider: 'sendgrid', template, recipients: mail.recipients.length },
      value: delivery,
      policy: mail.policy,
      call: (limits) => deliver(mailer, { jobId, category: template, mail }, limits),
    });
    if (sent.kind === 'ended') return sent.outcome;
    if (sent.kind === 'declined') return failed(sent.code, sent.message, { replayable: false });
    return done({ ...sent.value, ...(to === undefined ? {} : { to }), template, sentAt: new Date().toISOString() });
  });
}

/** Sends to everybody who is not on the suppression list, in one call, and says how many that were. */
async function deliver(
  { sendgrid, from, suppressions }: Mailer,
  { jobId, category, mail }: { jobId: string; category: string; mail: RenderedMail },
  { timeoutMs, signal }: CallLimits,
): Promise<PlainAnswer<Delivery>> {
  const endsAt = performance.now() + timeoutMs;
  const { subject, text, html, optional } = mail;
  const listed = await suppressions.among(
    mail.recipients.map(({ to }) => to),
    { optional, timeoutMs: timeoutMs / 2 },
  );
  if (listed.kind !== 'done') return listed;
  const recipients = mail.recipients.filter(({ to }) => !listed.value.has(to));
  if (recipients.length === 0) return SUPPRESSED;
  const answer = await sendgrid.send(
    { jobId, from, category, subject, text, html, recipients },
    { timeoutMs: endsAt - performance.now(), signal },
  );
  if (answer.kind !== 'done') return answer;
  const suppressed = mail.recipients.length - recipients.length;
  return { ...answer, value: { ...answer.value, recipients: recipients.length, suppressed } };
}

const SUPPRESSED = {
  kind: 'declined',
  code: 'SUPPRESSED',
  message: 'nobody is left to send it to: the suppression list names all recipients',
  trouble: 'unheard',
} as const;

/** Whoever owns a domain reads its addresses in either case. */
function isSame(address: string, other: string): boolean {
  return address.toLowerCase() === other.toLowerCase();
}
