/** A status callback as Twilio sends it, signed by the SDK's own helper for the address that it was told. */
import twilio from 'twilio';
import type { Webhook } from '../webhooks';
import { AUTH_TOKEN } from './emulator';

/** @param address the one that was signed, which need not be where it is sent */
export function statusCallback(address: string, fields: Record<string, string>, authToken = AUTH_TOKEN): Webhook {
  return {
    body: new URLSearchParams(fields).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, address, fields),
    },
  };
}
