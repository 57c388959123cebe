import http from 'node:http';
import https from 'node:https';

export interface Posting {
  headers: Record<string, string>;
  body: string | Buffer;
  agent: http.Agent;
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /** What is read of an answer; the rest is left unread, and the connection is given up. */
  maxAnswerBytes: number;
}

export interface PostAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** The call took longer than it may, whatever had arrived until then. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
  readonly code = 'ERR_DEADLINE';
}

/** Sends one request, once. A redirect is an answer like any other. @throws what Node says when no answer comes */
export function post(url: URL, { headers, body, agent, timeoutMs, maxAnswerBytes }: Posting): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const { request: open } = url.protocol === 'http:' ? http : https;
    const length = String(Buffer.byteLength(body));
    const request = open(url, { method: 'POST', agent, headers: { ...headers, 'content-length': length } });
    const deadline = setTimeout(() => request.destroy(new DeadlineError('no whole answer in time')), timeoutMs);
    const settle = (end: () => void): void => {
      clearTimeout(deadline);
      end();
    };
    request.once('error', (error) => settle(() => reject(error)));
    request.once('response', (response) => {
      readUpTo(response, maxAnswerBytes).then(
        (text) => settle(() => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })),
        (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error('no whole answer'))),
      );
    });
    request.end(body);
  });
}

async function readUpTo(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    // Without an encoding a response is read in buffers, which its type does not say.
    const bytes = chunk as Buffer;
    chunks.push(bytes.subarray(0, maxBytes - size));
    size += bytes.length;
    // Leaving the loop destroys the response.
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
