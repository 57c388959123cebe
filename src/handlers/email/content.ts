import type { RepeatPolicy } from '../handler';

/** What a template makes of its data. */
export interface MailContent {
  /** What becomes of a mail of this kind when nobody knows whether it was sent. */
  policy: RepeatPolicy;
  /** Unless the request names one. */
  subject: string;
  /** What the template may show. It must name everything that the template does: null where there is nothing. */
  view: Record<string, unknown>;
}
