/**
 * SendGrid: one call hands over one mail, to one recipient or many. It takes no key of ours and offers no way to ask for a mail, so what ends
 * `unknown` can only be sent again or given up.
 *
 * `send` resolves with an answer and never rejects. Process killed before the request left: nothing happened. Killed
 * after it: SendGrid may have taken the mail, and nobody will know.
 */
import { ABORTED_BEFORE, type PlainAnswer } from '../answer';
import { withDeadline } from '../axios';
import { createMailService } from './client';
import { answerFromError, answerFromReply, type SentMail } from './errors';

export type { SentMail } from './errors';

export interface SendGridOptions {
  /** `SG.…` */
  apiKey: string;
  /** `http(s)://host[:port]`; SendGrid itself when absent. */
  apiBase?: string;
}

export interface Mail {
  /** Kept with the mail as the custom argument `job_id`, and told by SendGrid's event webhook. */
  jobId: string;
  /** Each gets a mail of its own, which names nobody else. */
  recipients: Recipient[];
  from: Sender;
  subject: string;
  text: string;
  html: string;
  /** What kind of mail it is, for SendGrid's statistics. */
  category: string;
}

export interface Recipient {
  /** An address alone. */
  to: string;
  /** What this recipient reads in place of marks in subject, text and HTML. */
  substitutions: Record<string, string>;
}

export interface Sender {
  email: string;
  /** Shown beside the address. */
  name?: string;
}

export interface SendCall {
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /**
   * Keeps back a call that has not begun. One that is under way is read to its end or time-out: to cut it would save
   * nothing, and cost the knowledge whether the mail was taken.
   */
  signal: AbortSignal;
}

export interface SendGridAdapter {
  send(mail: Mail, call: SendCall): Promise<PlainAnswer<SentMail>>;
}

export function createSendGridAdapter(options: SendGridOptions): SendGridAdapter {
  const openService = createMailService(options);
  return {
    async send({ jobId, category, recipients, ...mail }, { timeoutMs, signal }) {
      if (signal.aborted) return ABORTED_BEFORE;
      try {
        return await withDeadline(timeoutMs, async (deadline) => {
          const [reply] = await openService(deadline).send({
            ...mail,
            // As an object: a string would be searched for a display name.
            personalizations: recipients.map(({ to, substitutions }) => ({ to: { email: to }, substitutions })),
            // The marks are whole as they are.
            substitutionWrappers: ['', ''],
            categories: [category],
            customArgs: { job_id: jobId },
          });
          return answerFromReply(reply);
        });
      } catch (error) {
        return answerFromError(error, Date.now());
      }
    },
  };
}
