import type { RepeatPolicy } from '../handler';

/** What a template makes of its data. */
export interface MailContent {
  /** What becomes of a mail of this kind when nobody knows whether it was sent. */
  policy: RepeatPolicy;
  /** Whoever unsubscribed does not get it. A mail that is not optional is what somebody paid for, or is owed. */
  optional: boolean;
  /** Unless the request names one. */
  subject: string;
  /** What the template may show. It must name everything that the template does: null where there is nothing. */
  view: Record<string, unknown>;
  recipients: MailRecipient[];
}

export interface MailRecipient {
  to: string;
  /** What the template shows to this recipient alone: the same names for all of them, and texts that are not empty. */
  personal: Record<string, string>;
}

export function only(to: string): MailRecipient[] {
  return [{ to, personal: {} }];
}
