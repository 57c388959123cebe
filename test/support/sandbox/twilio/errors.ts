/** Twilio's error bodies, and the numbers that always lead to one. */
import type { SandboxReply } from '../http';

export function refusal(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): SandboxReply {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info, status }, headers };
}

export const unauthorized = () => refusal(401, 20003, 'Authenticate');
export const serverError = () => refusal(500, 20500, 'An internal server error has occurred');
export const unavailable = () => refusal(503, 20503, 'Service unavailable');
export const badRequest = () => refusal(400, 20001, 'Invalid parameter');

export function rateLimited(seconds: number): SandboxReply {
  return refusal(429, 20429, 'Too Many Requests', { 'retry-after': String(seconds) });
}

/** By Twilio's documentation, "Test Credentials": what the API says about a message to these numbers. */
const TO: Readonly<Record<string, [number, string]>> = {
  '+15005550001': [21211, "Invalid 'To' Phone Number"],
  '+15005550002': [21612, "The 'To' phone number is not currently reachable"],
  '+15005550003': [21408, 'Permission to send an SMS has not been enabled for the region'],
  '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
  '+15005550009': [21614, "'To' number is not a valid mobile number"],
};

/** The same for messages from these. */
const FROM: Readonly<Record<string, [number, string]>> = {
  '+15005550001': [21212, "The 'From' number is not a valid phone number"],
  '+15005550008': [21611, "This 'From' number has exceeded the maximum number of queued messages"],
};

const MAX_LENGTH = 1_600;

/** What Twilio refuses and the emulator does not, or not with Twilio's code. */
export function complaintAbout(message: URLSearchParams): SandboxReply | undefined {
  const to = message.get('To') ?? '';
  const body = message.get('Body') ?? '';
  if (to === '') return refusal(400, 21604, "A 'To' phone number is required.");
  const known = TO[to] ?? FROM[message.get('From') ?? ''];
  if (known) return refusal(400, ...known);
  if (!/^\+[1-9]\d{6,14}$/.test(to)) return refusal(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
  if (body.trim() === '') return refusal(400, 21602, 'Message body is required.');
  if (body.length > MAX_LENGTH)
    return refusal(400, 21617, 'The concatenated message body exceeds the 1600 character limit');
  return undefined;
}
