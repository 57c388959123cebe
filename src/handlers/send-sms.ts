import { SegmentedMessage } from 'sms-segments-calculator';
import { z } from 'zod';
import { sendSms, type SmsPayload, type SmsTemplate } from '../catalogue/send-sms';
import type { SentText, TwilioAdapter } from '../providers/twilio/adapter';
import { defineHandler, type RepeatPolicy, type UnkeyedEffect } from './handler';
import { done, failed } from './outcome';

export interface Texter {
  twilio: TwilioAdapter;
  /** Who all messages are from; a number in E.164. */
  from: string;
  /** How long after a call was given up Twilio may still carry it out, and list the message. */
  lookupLagMs: number;
}

/** A second code confuses whoever waits for one, and the first has another button: ask again. */
const POLICIES: Record<SmsTemplate, RepeatPolicy> = {
  code: 'atMostOnce',
  receipt: 'atLeastOnce',
  reminder: 'atLeastOnce',
  notice: 'atLeastOnce',
};

const sentText = z.object({ messageId: z.string() });

/** Sends a text message. Twilio takes no key, but can be asked whether it took a message before that is sent again. */
export function sendSmsHandler(texter: Texter) {
  return defineHandler(sendSms, async (payload, context) => {
    const { to, message } = payload;
    if (payload.from !== undefined && payload.from !== texter.from) {
      return failed('SENDER_NOT_ALLOWED', 'messages are sent from the configured number alone', { replayable: false });
    }
    const { segmentsCount: segments } = new SegmentedMessage(message);
    const sent = await context.effects.perform(sendEffect(texter, payload, context.jobId, segments));
    if (sent.kind === 'ended') return sent.outcome;
    if (sent.kind === 'declined') return failed(sent.code, sent.message, { replayable: false });
    return done({ messageId: sent.value.messageId, to, segments, sentAt: new Date().toISOString() });
  });
}

function sendEffect(
  { twilio, from, lookupLagMs }: Texter,
  { to, template, message: text }: SmsPayload,
  jobId: string,
  segments: number,
): UnkeyedEffect<SentText> {
  const message = { jobId, to, from, text };
  return {
    name: 'send',
    intent: { provider: 'twilio', template, segments },
    value: sentText,
    policy: POLICIES[template],
    call: (limits) => twilio.send(message, limits),
    lookup: { lagMs: lookupLagMs, find: (made, limits) => twilio.find(message, made, limits) },
  };
}
