/** The body of a POST and who sent it → a sound request for the intake, or everything that is wrong with it. */
import { findJobType } from '../catalogue';
import { cloudEvent, type CloudEvent } from '../contract/envelope';
import type { HttpErrorCode } from '../contract/http';
import { JOB_REQUESTED } from '../contract/names';
import type { IntakeRequest, RejectionCode } from '../intake/request';
import { validateJobRequest } from '../intake/validate-request';
import { jsonProblems, type Problem } from '../platform/json-problems';
import { HttpError } from './errors';
import { ownPayload } from './ownership';
import { sourceOf, type Principal } from './principal';

/** What a POST says beside its body. */
export interface SubmissionHeaders {
  idempotencyKey: string | undefined;
  /** The id that the caller gave to the request, if any. */
  requestId: string | undefined;
  traceparent: string | undefined;
}

/**
 * @param id of this very request: every POST is a request of its own, only the idempotency key makes two the same
 * @throws HttpError that lists every problem, or says what the principal may not do
 */
export function readSubmission(
  body: unknown,
  principal: Principal,
  headers: SubmissionHeaders,
  id: string,
): IntakeRequest {
  const unsound = jsonProblems(body);
  const own = isObject(body) ? ownRequest(body, principal) : body;
  const keyed = isObject(own) ? withKey(own, headers.idempotencyKey) : { body: own, problems: [] };
  const validated = validateJobRequest(toEvent(keyed.body, principal, headers, id), undefined);
  const found = 'request' in validated ? [] : validated.problems.map(inBody);
  const problems = [...unsound, ...keyed.problems, ...found];
  if (unsound.length > 0) throw new HttpError('UNREADABLE', problems);
  if (!('request' in validated)) throw new HttpError(refusalOf(validated.code), problems);
  if (problems.length > 0) throw new HttpError('INVALID_REQUEST', problems);
  return validated.request;
}

/** A refusal at the door → the code of the answer. The last two are about messages and do not occur here. */
export function refusalOf(code: RejectionCode): HttpErrorCode {
  return code === 'UNKNOWN_EVENT' || code === 'POISON_MESSAGE' ? 'INVALID_REQUEST' : code;
}

/** Problems are found in the event that a request could have come in; its `data` is the whole body here. */
export function inBody({ path, message }: Problem): Problem {
  return { path: path === 'data' ? '(body)' : path.replace(/^data\./, ''), message };
}

/** What the principal may ask for, in its own name. Who may ask for a type at all is the catalogue's to say. */
function ownRequest(body: Record<string, unknown>, principal: Principal): Record<string, unknown> {
  const type = typeof body['type'] === 'string' ? findJobType(body['type']) : undefined;
  // Nothing can be said about a type that does not exist; the validation refuses it.
  if (!type) return body;
  if (!type.submittableBy.includes(principal.role)) throw new HttpError('TYPE_NOT_ALLOWED');
  const { data } = body;
  return isObject(data) ? { ...body, data: ownPayload(data, principal, type) } : body;
}

/** The key may stand in the body, in the header, or in both if it is the same. */
function withKey(
  body: Record<string, unknown>,
  header: string | undefined,
): { body: Record<string, unknown>; problems: Problem[] } {
  if (header === undefined) return { body, problems: [] };
  const { idempotencyKey = header } = body;
  if (idempotencyKey === header) return { body: { ...body, idempotencyKey: header }, problems: [] };
  return { body, problems: [{ path: '(Idempotency-Key)', message: 'differs from idempotencyKey in the body' }] };
}

function toEvent(data: unknown, principal: Principal, headers: SubmissionHeaders, id: string): CloudEvent {
  // A malformed one is to be ignored (W3C Trace Context, section 3.2).
  const traceparent = cloudEvent.shape.traceparent.safeParse(headers.traceparent).data;
  return {
    specversion: '1.0',
    id,
    source: sourceOf(principal),
    type: JOB_REQUESTED,
    time: new Date().toISOString(),
    ...(headers.requestId === undefined ? {} : { correlationid: headers.requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    // JSON has no undefined, but its type has.
    data: data ?? null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
