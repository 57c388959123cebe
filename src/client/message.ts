import { z } from 'zod';
import { NO_DEFAULT_KEY } from '../catalogue/job-type';
import { findJobType, type JobTypeName, type PayloadOf } from '../catalogue';
import {
  DOMAIN_EVENTS,
  isDomainEventName,
  type DomainEventData,
  type DomainEventName,
} from '../contract/domain-events';
import { cloudEvent, eventMessage, timeOf, timestamp } from '../contract/envelope';
import { idempotencyKey, jobOptions, orderingProblems } from '../contract/job-request';
import { EXCHANGES, JOB_REQUESTED, MAX_BODY_BYTES } from '../contract/names';
import { problemsOf } from '../contract/problems';
import { uuidV7 } from '../platform/ids';
import { jsonProblems, type Problem } from '../platform/json-problems';
import { InvalidCallError } from './errors';

const eventOptions = z.strictObject({
  /** With the client's source the identity of the message: the same id again is the same message. Default: a new UUIDv7. */
  id: cloudEvent.shape.id.optional(),
  /** When it happened. Default: now. */
  time: z
    .date()
    .transform((date) => date.toISOString())
    .pipe(timestamp)
    .optional(),
  /** Comes back in every outcome. */
  correlationId: cloudEvent.shape.correlationid,
  /** W3C Trace Context. */
  traceparent: cloudEvent.shape.traceparent,
});

const requestOptions = eventOptions.extend({
  /** Names the work: two requests with one key are done once. Default: made from the payload, by the job type's rule. */
  idempotencyKey: idempotencyKey.optional(),
  /** How the job is run; what is left out, the job type decides. */
  options: jobOptions.optional(),
});

export type PublishOptions = z.input<typeof requestOptions>;
export type PublishEventOptions = z.input<typeof eventOptions>;

/** A message that is sound and complete: its id and bytes stay the same however often it is sent. */
export interface PreparedMessage {
  id: string;
  exchange: string;
  routingKey: string;
  contentType: string;
  type: string;
  correlationId: string | undefined;
  headers: Record<string, string>;
  body: string;
}

/** @throws InvalidCallError with every problem */
export function prepareRequest<Name extends JobTypeName>(
  source: string,
  type: Name,
  payload: PayloadOf<Name>,
  options: PublishOptions,
): PreparedMessage {
  const what = `a request for ${type}`;
  const value = asJson(what, payload, 'payload');
  const problems = jsonProblems({ ...options, payload: value });
  const parsed = requestOptions.safeParse(options);
  if (!parsed.success) problems.push(...problemsOf(parsed.error));
  const jobType = findJobType(type);
  problems.push(...orderingProblems(jobType?.queue, parsed.data?.options).map(underOptions));
  if (!jobType) problems.push({ path: 'type', message: 'is not a known job type' });
  const checked = jobType?.check(value, { time: timeOf({ time: parsed.data?.time }) });
  if (checked && 'problems' in checked) problems.push(...checked.problems.map(underPayload));
  else if (checked && parsed.data && (parsed.data.idempotencyKey ?? checked.defaultKey) === undefined) {
    problems.push({ path: 'idempotencyKey', message: NO_DEFAULT_KEY });
  }
  if (!parsed.success || !jobType || problems.length > 0) throw new InvalidCallError(what, problems);
  const { idempotencyKey: key, options: job, ...event } = parsed.data;
  return bounded(what, {
    ...envelope(source, JOB_REQUESTED, event, {
      queue: jobType.queue,
      type: jobType.name,
      data: value,
      idempotencyKey: key,
      options: job,
    }),
    exchange: EXCHANGES.requests,
    routingKey: `${jobType.queue}.${jobType.name}`,
  });
}

/** @throws InvalidCallError with every problem */
export function prepareEvent<Name extends DomainEventName>(
  source: string,
  name: Name,
  data: DomainEventData<Name>,
  options: PublishEventOptions,
): PreparedMessage {
  const what = `the event ${name}`;
  const value = asJson(what, data, 'data');
  const problems = jsonProblems({ ...options, data: value });
  const parsed = eventOptions.safeParse(options);
  if (!parsed.success) problems.push(...problemsOf(parsed.error));
  const checked = isDomainEventName(name) ? DOMAIN_EVENTS[name].safeParse(value) : undefined;
  if (!checked) problems.push({ path: 'name', message: 'is not a known domain event' });
  if (checked?.success === false) problems.push(...problemsOf(checked.error, 'data'));
  if (!parsed.success || problems.length > 0) throw new InvalidCallError(what, problems);
  return bounded(what, {
    ...envelope(source, `com.tickettoken.${name}.v1`, parsed.data, value),
    exchange: EXCHANGES.domainEvents,
    routingKey: name,
  });
}

/**
 * What the reader of the message will see: members that are undefined are gone, dates are texts. It is this that is
 * judged, so that nothing passes here and is refused there.
 */
function asJson(what: string, value: unknown, name: string): unknown {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    // A cycle, a BigInt, or nothing at all; the message of the error may quote the value.
    throw new InvalidCallError(what, [{ path: name, message: 'cannot be written as JSON' }]);
  }
}

/** The catalogue judges payloads where they stand in an event. */
function underPayload({ path, message }: Problem): Problem {
  return { path: path.replace(/^data\.data/, 'payload'), message };
}

function underOptions({ path, message }: Problem): Problem {
  return { path: `options.${path}`, message };
}

function envelope(source: string, type: string, options: z.output<typeof eventOptions>, data: unknown) {
  const { id = uuidV7(), time = new Date().toISOString(), correlationId, traceparent } = options;
  return eventMessage({ id, source, type, time, correlationId, traceparent, data });
}

function bounded(what: string, message: PreparedMessage): PreparedMessage {
  const bytes = Buffer.byteLength(message.body, 'utf8');
  if (bytes <= MAX_BODY_BYTES) return message;
  const problem = { path: '(body)', message: `has ${bytes} bytes, more than ${MAX_BODY_BYTES}` };
  throw new InvalidCallError(what, [problem]);
}
