import type { ErrorRequestHandler, Response } from 'express';
import { HTTP_ERRORS, type HttpErrorCode } from '../contract/http';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Problem } from '../platform/json-problems';

/** Seconds after which asking again makes sense: a server that comes back is noticed within one or two. */
const RETRY_AFTER_SECONDS = 2;

/** A request that is refused. Thrown by whoever notices, answered in one place. */
export class HttpError extends Error {
  override name = 'HttpError';

  constructor(
    readonly code: HttpErrorCode,
    readonly details: Problem[] = [],
  ) {
    super(HTTP_ERRORS[code].sentence);
  }

  get status(): number {
    return HTTP_ERRORS[this.code].status;
  }
}

/** The public form of a refusal. */
export function errorBody(error: HttpError, requestId: string) {
  return { error: error.message, code: error.code, requestId, details: error.details };
}

/** Answers everything that was thrown on the way; what nobody foresaw is logged and tells the caller nothing. */
export function errorAnswerer(
  onRefusal: (code: HttpErrorCode) => void,
  requestIdOf: (response: Response) => string,
  log: Logger,
): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const error = toHttpError(thrown);
    const requestId = requestIdOf(response);
    onRefusal(error.code);
    if (error.code === 'INTERNAL_ERROR') {
      log.error('http request failed', { requestId, method: request.method, error: describeError(thrown) });
    } else {
      log.debug('http request refused', { requestId, method: request.method, code: error.code });
    }
    // Express then breaks the connection off, so that half an answer is not taken for a whole one.
    if (response.headersSent) return next(thrown);
    if (error.status === 503) response.set('Retry-After', String(RETRY_AFTER_SECONDS));
    if (error.status === 401) response.set('WWW-Authenticate', challengeOf(error.code));
    response.status(error.status).json(errorBody(error, requestId));
  };
}

/** Providers of webhooks sign what they send, everybody else brings a token. */
function challengeOf(code: HttpErrorCode): string {
  return code === 'SIGNATURE_INVALID' ? 'Signature' : 'Bearer';
}

/** Errors of the body parser carry a `type`, those of Express itself (such as a malformed %-escape) a `status`. */
function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  if (!(thrown instanceof Error)) return new HttpError('INTERNAL_ERROR');
  const type = 'type' in thrown ? thrown.type : undefined;
  if (type === 'entity.too.large') return new HttpError('BODY_TOO_LARGE');
  if (type === 'encoding.unsupported') return new HttpError('UNSUPPORTED_MEDIA_TYPE');
  const status = 'status' in thrown ? thrown.status : undefined;
  return new HttpError(status === 400 ? 'UNREADABLE' : 'INTERNAL_ERROR');
}
