/**
 * Mails from their templates: an HTML part, compiled from MJML by `npm run templates`, a text part, and a subject. What
 * comes from outside is escaped in the HTML; the payload's schema has refused what could break a line of the others.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Handlebars from 'handlebars';
import type { EmailPayload } from '../../catalogue/send-email';
import type { RepeatPolicy } from '../handler';
import type { MailContent } from './content';
import { orderReceiptContent } from './order-receipt';

export interface RenderedMail {
  policy: RepeatPolicy;
  subject: string;
  text: string;
  html: string;
}

const TEMPLATES: readonly EmailPayload['template'][] = ['order-receipt'];

function contentOf(payload: EmailPayload): MailContent {
  switch (payload.template) {
    case 'order-receipt':
      return orderReceiptContent(payload.data);
  }
}

/** Reads all templates, so that a missing file is noticed when the process starts. */
export function createRenderer(): (payload: EmailPayload) => RenderedMail {
  const parts = new Map(
    TEMPLATES.map((name) => [
      name,
      { html: compile(`${name}.html.hbs`), text: compile(`${name}.text.hbs`, { noEscape: true }) },
    ]),
  );
  return (payload) => {
    const part = parts.get(payload.template);
    if (!part) throw new Error(`no files for the template ${payload.template}`);
    const { policy, view, ...content } = contentOf(payload);
    const subject = payload.subject ?? content.subject;
    const shown = { ...view, subject };
    return { policy, subject, text: part.text(shown), html: part.html(shown) };
  };
}

function compile(file: string, options: CompileOptions = {}): HandlebarsTemplateDelegate<MailContent['view']> {
  const source = readFileSync(path.join(__dirname, 'templates', file), 'utf8');
  // Strict: a name that the view does not have is an error, not an empty place in somebody's mail.
  return Handlebars.compile(source, { strict: true, knownHelpersOnly: true, ...options });
}
