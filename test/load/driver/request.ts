import { randomUUID } from 'node:crypto';
import { CONTENT_TYPE, JOB_REQUESTED } from '../../../src/contract/names';

/** In a request by HTTP, which has no envelope of its own. */
export const NOTE = 'x'.repeat(250);

/** About what a payment request has; the note makes up for what a canary's payload lacks. */
const BODY_BYTES = 560;

export interface Request {
  id: string;
  body: Buffer;
  properties: { persistent: true; contentType: string; messageId: string };
}

/** A request for a canary job, as another service would publish it. */
export function makeRequest(type: string, n: number): Request {
  const id = randomUUID();
  const event = (note: string): string =>
    JSON.stringify({
      specversion: '1.0',
      id,
      source: '/bench',
      type: JOB_REQUESTED,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data: { type, data: { n, note }, idempotencyKey: `order-${id}` },
    });
  const note = 'x'.repeat(Math.max(0, BODY_BYTES - event('').length));
  return {
    id,
    body: Buffer.from(event(note)),
    properties: { persistent: true, contentType: CONTENT_TYPE, messageId: id },
  };
}
