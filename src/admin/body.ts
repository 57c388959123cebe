import express, { type Request, type Response } from 'express';
import { MAX_BODY_BYTES } from '../contract/names';
import { parseJson } from '../platform/parse-json';
import { HttpError } from './errors';

const MEDIA_TYPE = 'application/json';

const readBytes = express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false });

/** The body of a request as JSON, not judged beyond that. @throws HttpError when it is not JSON, or too much of it */
export async function readJson(request: Request, response: Response): Promise<unknown> {
  // Parameters such as a charset may follow.
  const mediaType = request.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== MEDIA_TYPE) throw new HttpError('UNSUPPORTED_MEDIA_TYPE');
  const json = parseJson(await readBody(request, response));
  if ('problem' in json) throw new HttpError('UNREADABLE', [json.problem]);
  return json.value;
}

/** The bytes of a body as they came. @throws HttpError or the parser's error when there are too many */
export function readBody(request: Request, response: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readBytes(request, response, (error?: unknown) => {
      // Without a body there is nothing that the parser could leave.
      const body: unknown = request.body;
      if (error instanceof Error) reject(error);
      else resolve(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    });
  });
}
