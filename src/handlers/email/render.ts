/**
 * Mails from their templates: an HTML part, compiled from MJML by `npm run templates`, a text part, and a subject. What
 * comes from outside is escaped in the HTML; the payload's schema has refused what could break a line of the others.
 *
 * A mail to many is rendered once, with a mark for each thing that differs, and SendGrid puts every recipient's own words
 * in place of the marks.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Handlebars from 'handlebars';
import type { EmailPayload, EmailTemplate } from '../../catalogue/send-email';
import type { RepeatPolicy } from '../handler';
import type { MailContent, MailRecipient } from './content';
import { eventCancelledContent } from './event-cancelled';
import { eventReminderContent } from './event-reminder';
import { orderReceiptContent } from './order-receipt';
import { payoutSentContent } from './payout-sent';
import { refundReceiptContent } from './refund-receipt';
import { reportReadyContent } from './report-ready';

export interface RenderedMail {
  policy: RepeatPolicy;
  optional: boolean;
  subject: string;
  text: string;
  html: string;
  recipients: { to: string; substitutions: Record<string, string> }[];
}

const TEMPLATES: readonly EmailTemplate[] = [
  'order-receipt',
  'refund-receipt',
  'event-reminder',
  'event-cancelled',
  'payout-sent',
  'report-ready',
];

function contentOf(payload: EmailPayload): MailContent {
  switch (payload.template) {
    case 'order-receipt':
      return orderReceiptContent(payload.to, payload.data);
    case 'refund-receipt':
      return refundReceiptContent(payload.to, payload.data);
    case 'event-reminder':
      return eventReminderContent(payload.recipients ?? toAlone(payload.to), payload.data);
    case 'event-cancelled':
      return eventCancelledContent(payload.to, payload.data);
    case 'payout-sent':
      return payoutSentContent(payload.to, payload.data);
    case 'report-ready':
      return reportReadyContent(payload.to, payload.data);
  }
}

/** The schema has seen to it that there is one where there are no recipients. */
function toAlone(to: string | undefined): { to: string }[] {
  return to === undefined ? [] : [{ to }];
}

/** Reads all templates, so that a missing file is noticed when the process starts. */
export function createRenderer(): (payload: EmailPayload, mark: string) => RenderedMail {
  const parts = new Map(
    TEMPLATES.map((name) => [
      name,
      { html: compile(`${name}.html.hbs`), text: compile(`${name}.text.hbs`, { noEscape: true }) },
    ]),
  );
  return (payload, mark) => {
    const part = parts.get(payload.template);
    if (!part) throw new Error(`no files for the template ${payload.template}`);
    const { view, recipients, ...content } = contentOf(payload);
    const subject = payload.subject ?? content.subject;
    const marked = recipients.length > 1 ? marksOf(recipients, mark) : undefined;
    const alone = recipients[0]?.personal;
    return {
      ...content,
      subject,
      text: part.text({ ...view, subject, ...(marked?.text ?? alone) }),
      html: part.html({ ...view, subject, ...(marked?.html ?? alone) }),
      recipients: recipients.map(({ to, personal }) => ({ to, substitutions: marked ? marked.fill(personal) : {} })),
    };
  };
}

/** @param mark that nobody who asks for a mail can know, or their words would be taken for marks */
function marksOf(recipients: MailRecipient[], mark: string) {
  const names = Object.keys(recipients[0]?.personal ?? {});
  const marks = (part: string) => Object.fromEntries(names.map((name) => [name, `%${mark}.${name}.${part}%`]));
  const text = marks('text');
  const html = marks('html');
  const fill = (personal: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const words = personal[name] ?? '';
        return [
          [text[name], words],
          [html[name], Handlebars.escapeExpression(words)],
        ];
      }),
    );
  return { text, html, fill };
}

function compile(file: string, options: CompileOptions = {}): HandlebarsTemplateDelegate<MailContent['view']> {
  const source = readFileSync(path.join(__dirname, 'templates', file), 'utf8');
  // Strict: a name that the view does not have is an error, not an empty place in somebody's mail.
  return Handlebars.compile(source, { strict: true, knownHelpersOnly: true, ...options });
}
