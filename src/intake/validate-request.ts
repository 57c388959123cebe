import { findJobType } from '../catalogue';
import { NO_DEFAULT_KEY, type JobType } from '../catalogue/job-type';
import { timeOf, type CloudEvent } from '../contract/envelope';
import { jobOptions, jobRequest, orderingProblems, type JobRequest } from '../contract/job-request';
import { JOB_REQUESTED, JOB_TYPE_PATTERN, TIERS } from '../contract/names';
import { problemsOf } from '../contract/problems';
import type { Problem } from '../platform/json-problems';
import { requestKeyOf } from './keys';
import type { IntakeRequest, RejectionCode } from './request';

export type Validated =
  { request: IntakeRequest } | { code: RejectionCode; problems: Problem[]; type: string | undefined };

/** A job request event → a sound request, or everything that is wrong with it. */
export function validateJobRequest(event: CloudEvent, routingKey: string | undefined): Validated {
  const problems: Problem[] = [];
  if (event.type !== JOB_REQUESTED) problems.push({ path: 'type', message: `must be ${JOB_REQUESTED}` });
  const parsed = jobRequest.safeParse(event.data);
  const body = parsed.data ?? looseBody(event.data);
  if (!parsed.success) problems.push(...problemsOf(parsed.error, 'data'));

  const type = body.type === undefined ? undefined : findJobType(body.type);
  const unknownType = body.type !== undefined && !type;
  if (unknownType) problems.push({ path: 'data.type', message: 'is not a known job type' });
  if (type?.submittableBy.length === 0) problems.push({ path: 'data.type', message: NOT_ASKED_FOR });
  const misplaced = type ? placeProblems(type, body.queue, routingKey) : [];
  problems.push(...misplaced);

  problems.push(...orderingProblems(type?.queue, body.options).map(underOptions));

  const payload = type?.check(body.data, { time: timeOf(event) });
  if (payload && 'problems' in payload) problems.push(...payload.problems);
  const key = parsed.data && payload && 'defaultKey' in payload ? keyOf(parsed.data, payload.defaultKey) : undefined;
  if (parsed.success && payload && 'defaultKey' in payload && !key) problems.push(KEY_NEEDED);
  if (!parsed.success || !type || !key || problems.length > 0) {
    const code = unknownType ? 'UNKNOWN_TYPE' : misplaced.length > 0 ? 'WRONG_QUEUE' : 'INVALID_REQUEST';
    return { code, problems, type: nameable(body.type) };
  }
  return { request: toRequest(event, parsed.data, type, key) };
}

/** Of what only the service itself makes, such as the jobs of webhooks. */
const NOT_ASKED_FOR = 'is not asked for: only the service itself makes such jobs';
const KEY_NEEDED = { path: 'data.idempotencyKey', message: NO_DEFAULT_KEY };

function underOptions({ path, message }: Problem): Problem {
  return { path: `data.options.${path}`, message };
}

type Key = IntakeRequest['idempotencyKey'];

/** Undefined when the request names no key and its payload makes none. */
function keyOf({ idempotencyKey }: JobRequest, defaultKey: string | undefined): Key | undefined {
  if (idempotencyKey !== undefined) return { callers: true, key: idempotencyKey };
  return defaultKey === undefined ? undefined : { callers: false, key: defaultKey };
}

function toRequest(event: CloudEvent, body: JobRequest, type: JobType, idempotencyKey: Key): IntakeRequest {
  const { orderingKey } = body.options ?? {};
  return {
    type,
    data: body.data,
    idempotencyKey,
    options: body.options ?? {},
    orderingKey: orderingKey === undefined ? undefined : { scope: event.source, key: orderingKey },
    requestKey: requestKeyOf(event.source, event.id),
    requestId: event.id,
    source: event.source,
    correlationId: event.correlationid,
    traceparent: event.traceparent,
  };
}

/** A name that a routing key can carry is told as it came, also when no type has it. */
function nameable(type: string | undefined): string | undefined {
  return type !== undefined && JOB_TYPE_PATTERN.test(type) ? type : undefined;
}

/** Queue and type in the body, in the catalogue and in the routing key must agree. */
function placeProblems(type: JobType, queue: string | undefined, routingKey: string | undefined): Problem[] {
  const problems: Problem[] = [];
  if (queue !== undefined && queue !== type.queue) {
    problems.push({ path: 'data.queue', message: `must be ${type.queue} for this type` });
  }
  if (routingKey !== undefined && routingKey !== `${type.queue}.${type.name}`) {
    problems.push({ path: '(routing key)', message: `must be ${type.queue}.${type.name} for this type` });
  }
  return problems;
}

/** What can be judged of a body that is not a sound request: each part by itself, so that every problem is listed. */
function looseBody(data: unknown): Pick<Partial<JobRequest>, 'type' | 'queue' | 'options'> & { data?: unknown } {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return {};
  const { type, queue, data: payload, options }: { [Name in keyof JobRequest]?: unknown } = data;
  const tier = TIERS.find((name) => name === queue);
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(tier === undefined ? {} : { queue: tier }),
    data: payload,
    options: jobOptions.safeParse(options).data,
  };
}
