import { cloudEvent, type CloudEvent } from '../contract/envelope';
import { CONTENT_TYPE, MAX_BODY_BYTES } from '../contract/names';
import { problemsOf } from '../contract/problems';
import { jsonProblems, type Problem } from '../platform/json-problems';
import { parseJson } from '../platform/parse-json';

/** What an unsound message still lets be known of it. */
export interface PartialEvent {
  id: string | undefined;
  source: string | undefined;
  correlationId: string | undefined;
  traceparent: string | undefined;
  data: unknown;
}

export type Decoded = { event: CloudEvent; problems: [] } | { partial: PartialEvent; problems: Problem[] };

const NOTHING: PartialEvent = {
  id: undefined,
  source: undefined,
  correlationId: undefined,
  traceparent: undefined,
  data: undefined,
};

/** Bytes from the broker → a CloudEvent, or every problem with them. */
export function decodeEvent(content: Buffer, contentType: string | undefined): Decoded {
  const problems = contentTypeProblems(contentType);
  if (content.length > MAX_BODY_BYTES) {
    problems.push({ path: '(body)', message: `has ${content.length} bytes, more than ${MAX_BODY_BYTES}` });
    return { partial: NOTHING, problems };
  }
  const json = parseJson(content);
  if ('problem' in json) return { partial: NOTHING, problems: [...problems, json.problem] };
  const unstorable = jsonProblems(json.value);
  const parsed = cloudEvent.safeParse(json.value);
  problems.push(...unstorable, ...(parsed.success ? [] : problemsOf(parsed.error)));
  if (parsed.success && problems.length === 0) return { event: parsed.data, problems: [] };
  return { partial: partialOf(json.value, parsed.data), problems };
}

function contentTypeProblems(contentType: string | undefined): Problem[] {
  // Parameters such as a charset may follow.
  if (contentType?.split(';')[0]?.trim().toLowerCase() === CONTENT_TYPE) return [];
  return [{ path: '(content-type)', message: `must be ${CONTENT_TYPE}` }];
}

/** Reads the attributes one by one, each only if it is sound by itself: they go into headers, logs and the database. */
function partialOf(value: unknown, event: CloudEvent | undefined): PartialEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOTHING;
  const read = (name: 'id' | 'source' | 'correlationid' | 'traceparent'): string | undefined => {
    const attribute: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
    const parsed = cloudEvent.shape[name].safeParse(attribute);
    return parsed.success && jsonProblems(parsed.data).length === 0 ? parsed.data : undefined;
  };
  return {
    id: read('id'),
    source: read('source'),
    correlationId: read('correlationid'),
    traceparent: read('traceparent'),
    data: event?.data ?? Object.getOwnPropertyDescriptor(value, 'data')?.value,
  };
}
