import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';

const HEADER = 'X-Request-ID';

/** The id that a caller gave to its request; undefined when it gave none that may stand in headers and logs. */
export function callersRequestId(request: Request): string | undefined {
  const id = request.get(HEADER);
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined;
}

/** Gives every answer the id of its request: for people who look for it in logs. It identifies nothing else. */
export function nameRequests(): RequestHandler {
  return (request, response, next) => {
    response.set(HEADER, callersRequestId(request) ?? randomUUID());
    next();
  };
}

export function requestIdOf(response: Response): string {
  return response.get(HEADER) ?? '';
}
