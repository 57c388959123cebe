/**
 * Twilio: one call hands over one message. It takes no key of ours, but can be asked what it sent to a number.
 *
 * Both resolve with an answer and never reject. Process killed before the request left: nothing happened. Killed after it:
 * Twilio may have taken the message, and only `find` can tell.
 */
import { ABORTED_BEFORE, unknownLookup, type PlainAnswer, type PlainLookup } from '../answer';
import { withDeadline } from '../axios';
import { createTwilioClients, type TwilioAccount } from './client';
import { answerFromError, answerFromReply, type SentText } from './errors';
import { searchPage, type SentBetween } from './search';
import { callbackAddress } from './webhook';

export type { SentText } from './errors';

/** Numbers in E.164. */
export interface TextMessage {
  /** Told to the address of status callbacks. */
  jobId: string;
  to: string;
  from: string;
  text: string;
}

export interface TwilioCall {
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /**
   * Keeps back a call that has not begun. One that is under way is read to its end or time-out: to cut it would save
   * nothing, and cost the knowledge whether the message was taken.
   */
  signal: AbortSignal;
}

export interface TwilioAdapter {
  send(message: TextMessage, call: TwilioCall): Promise<PlainAnswer<SentText>>;
  /** Whether Twilio took such a message in this time. "Absent" is no proof: Twilio does not say when its list is whole. */
  find(message: TextMessage, sent: SentBetween, call: TwilioCall): Promise<PlainLookup<SentText>>;
}

/** What is looked at of a recipient's latest messages: more than anybody gets within minutes. */
const PAGE_SIZE = 200;

export function createTwilioAdapter(account: TwilioAccount): TwilioAdapter {
  const openClient = createTwilioClients(account);

  async function ask<Answer>(
    { timeoutMs, signal }: TwilioCall,
    question: (client: ReturnType<typeof openClient>) => Promise<Answer>,
  ) {
    if (signal.aborted) return ABORTED_BEFORE;
    return withDeadline(timeoutMs, async (deadline) => {
      const client = openClient(deadline);
      try {
        return await question(client);
      } catch (error) {
        return answerFromError(error, client.retryAfter(), Date.now());
      }
    });
  }

  return {
    send: ({ jobId, to, from, text }, call) =>
      ask(call, async ({ messages }) => {
        const { callbackUrl } = account;
        const statusCallback = callbackUrl === undefined ? {} : { statusCallback: callbackAddress(callbackUrl, jobId) };
        return answerFromReply(await messages.create({ to, from, body: text, ...statusCallback }));
      }),
    async find(message, sent, call) {
      const { to, from } = message;
      const answer = await ask(call, async ({ messages }) => {
        // Not by date: Twilio searches by the date of sending, which a message that waits in its queue does not have.
        const page = await messages.page({ to, from, pageSize: PAGE_SIZE });
        return searchPage(page.instances, PAGE_SIZE, message, sent);
      });
      if (answer.kind === 'done' || answer.kind === 'absent') return answer;
      return unknownLookup(answer);
    },
  };
}
