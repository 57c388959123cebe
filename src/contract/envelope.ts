import { z } from 'zod';
import { CONTENT_TYPE } from './names';

const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** RFC 3339, within the years that every language's date type can hold. */
export const timestamp = z.iso.datetime({ offset: true, abort: true }).refine((text) => {
  const at = Date.parse(text);
  return at >= EARLIEST && at <= LATEST;
}, 'is not a date between 1970 and 9999');

/** AMQP carries ids as short strings, of at most 255 bytes; control characters have no place in logs and headers. */
const attribute = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text, 'utf8') <= 255, 'is longer than 255 bytes of UTF-8')
  .refine((text) => !/\p{Cc}/u.test(text), 'contains control characters');

/** W3C Trace Context, level 1. */
const traceparent = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, 'is not a W3C traceparent');

/**
 * CloudEvents 1.0 in structured JSON mode, with the attributes that this service reads. Extension attributes that it
 * does not know are allowed and ignored, as the specification asks.
 */
export const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: attribute,
  time: timestamp.optional(),
  datacontenttype: z.literal('application/json').optional(),
  correlationid: attribute.optional(),
  traceparent: traceparent.optional(),
  data: z.unknown().refine((data) => data !== undefined, 'is missing'),
});

export type CloudEvent = z.infer<typeof cloudEvent>;

/** When the event happened, by its own word; now where it does not say. */
export function timeOf(event: Pick<CloudEvent, 'time'>): Date {
  return event.time === undefined ? new Date() : new Date(event.time);
}

/** What every event that this service or its client writes says about itself. */
export interface EventParts {
  id: string;
  source: string;
  type: string;
  subject?: string | undefined;
  /** RFC 3339. */
  time?: string | undefined;
  correlationId: string | undefined;
  traceparent: string | undefined;
  data: unknown;
}

/** An event as a message: its bytes, with the AMQP properties that repeat a part of them. */
export function eventMessage({ id, source, type, subject, time, correlationId, traceparent, data }: EventParts) {
  return {
    id,
    contentType: CONTENT_TYPE,
    type,
    correlationId,
    headers: traceparent === undefined ? {} : { traceparent },
    // What is undefined is left out.
    body: JSON.stringify({
      specversion: '1.0',
      id,
      source,
      type,
      subject,
      time,
      datacontenttype: 'application/json',
      correlationid: correlationId,
      traceparent,
      data,
    }),
  };
}
