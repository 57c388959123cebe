/** Finds a message of ours among those that Twilio lists for a number, newest first. */
import { z } from 'zod';
import type { PlainLookup, UnknownLookup } from '../answer';
import { noClearAnswer } from '../axios';
import type { SentText } from './errors';

/** When the call that may have sent it began, and when it was certainly over. */
export interface SentBetween {
  from: Date;
  until: Date;
}

/** How far Twilio's clock and ours may be apart; Twilio tells whole seconds. */
const CLOCK_SKEW_MS = 60_000;
/** Put before every text of an account that is on trial. */
const TRIAL_PREFIX = 'Sent from your Twilio trial account - ';

const listed = z.object({
  sid: z.string(),
  direction: z.string(),
  body: z.string().nullish(),
  dateCreated: z.date(),
});

/**
 * The same text to the same number within the time of our call counts as ours: of two jobs that ask for that, whichever
 * sent it, the recipient has it. A text that was removed from Twilio may be ours or not.
 */
export function searchPage(
  page: unknown[],
  pageSize: number,
  { text }: { text: string },
  sent: SentBetween,
): PlainLookup<SentText> {
  const read = z.array(listed).safeParse(page);
  if (!read.success) return noClearAnswer('Twilio', 'UNREADABLE_ANSWER');
  const isRecent = ({ dateCreated }: z.infer<typeof listed>) =>
    dateCreated.getTime() >= sent.from.getTime() - CLOCK_SKEW_MS;
  const recent = read.data.filter(isRecent);
  const candidates = recent.filter(
    ({ direction, dateCreated }) =>
      direction === 'outbound-api' && dateCreated.getTime() <= sent.until.getTime() + CLOCK_SKEW_MS,
  );
  const found = candidates.find(({ body }) => isText(body, text));
  if (found) return { kind: 'done', value: { messageId: found.sid }, reference: found.sid };
  if (candidates.some(({ body }) => !body)) return undecided('TEXT_REMOVED');
  if (recent.length >= pageSize) return undecided('TOO_MANY_MESSAGES');
  return { kind: 'absent' };
}

function undecided(code: string): UnknownLookup {
  return { kind: 'unknown', code, message: `Twilio's list does not tell: ${code}` };
}

function isText(body: string | null | undefined, text: string): boolean {
  return [text, TRIAL_PREFIX + text].some((own) => own.trim() === body?.trim());
}
