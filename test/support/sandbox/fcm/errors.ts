/** FCM's error bodies, as its reference documents them ("ErrorCode", "google.rpc.Status"). */
import type { SandboxReply } from '../http';

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

function refusal(
  code: number,
  status: string,
  message: string,
  { errorCode, headers = {} }: { errorCode?: string; headers?: Record<string, string> } = {},
): SandboxReply {
  const details = errorCode === undefined ? [] : [{ '@type': FCM_ERROR, errorCode }];
  return { status: code, body: { error: { code, message, status, details } }, headers };
}

export function rateLimited(seconds: number): SandboxReply {
  return refusal(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', {
    errorCode: 'QUOTA_EXCEEDED',
    headers: { 'retry-after': String(seconds) },
  });
}

export const unauthorized = () =>
  refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials. Expected OAuth 2 access token.');
export const otherSender = () =>
  refusal(403, 'PERMISSION_DENIED', 'SenderId mismatch', { errorCode: 'SENDER_ID_MISMATCH' });
export const otherProject = () => refusal(403, 'PERMISSION_DENIED', 'Permission denied on the project.');
export const unregistered = () =>
  refusal(404, 'NOT_FOUND', 'Requested entity was not found.', { errorCode: 'UNREGISTERED' });
export const notFound = () => refusal(404, 'NOT_FOUND', 'Not found.');
export const invalid = (message: string) =>
  refusal(400, 'INVALID_ARGUMENT', message, { errorCode: 'INVALID_ARGUMENT' });
export const serverError = () => refusal(500, 'INTERNAL', 'Internal error.', { errorCode: 'INTERNAL' });
/** The documentation asks clients to honour `Retry-After` here as well. */
export const unavailable = () =>
  refusal(503, 'UNAVAILABLE', 'The service is currently unavailable.', {
    errorCode: 'UNAVAILABLE',
    headers: { 'retry-after': '30' },
  });

/** Of the place that gives out tokens (RFC 6749, 5.2). */
export const invalidGrant = (): SandboxReply => ({
  status: 400,
  body: { error: 'invalid_grant', error_description: 'Invalid JWT.' },
});
