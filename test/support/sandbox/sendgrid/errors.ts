/** SendGrid's error bodies, as the Mail Send API documents them. */
import type { SandboxReply } from '../http';

export interface Complaint {
  message: string;
  field: string | null;
}

export function refusal(status: number, complaints: Complaint[], headers: Record<string, string> = {}): SandboxReply {
  return { status, body: { errors: complaints.map((complaint) => ({ ...complaint, help: null })) }, headers };
}

const whole = (status: number, message: string, headers?: Record<string, string>) =>
  refusal(status, [{ message, field: null }], headers);

export function rateLimited(seconds: number): SandboxReply {
  const reset = Math.ceil(Date.now() / 1000) + seconds;
  return whole(429, 'too many requests', {
    'x-ratelimit-limit': '600',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(reset),
  });
}

export const unauthorized = () => whole(401, 'The provided authorization grant is invalid, expired, or revoked');
export const unavailable = () => whole(503, 'Service Unavailable');
export const serverError = () => whole(500, 'An unexpected error occurred.');
export const notFound = () => whole(404, 'not found');
export const methodNotAllowed = () => whole(405, 'method not allowed');
export const tooLarge = () => whole(413, 'request entity too large');
export const notJson = () => whole(400, 'Bad Request');

export function unverifiedSender(): SandboxReply {
  const message =
    'The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements';
  return refusal(403, [{ message, field: 'from' }]);
}
