import type { JobType } from '../../src/catalogue/job-type';
import type { DomainEventName } from '../../src/contract/domain-events';
import type { PublishedEventName } from '../../src/contract/published-events';
import { CONTENT_TYPE, JOB_REQUESTED, SERVICE_SOURCE } from '../../src/contract/names';
import { OUTCOMES, outcomeMessage, type OutcomeData, type OutcomeName } from '../../src/contract/outcome';
import { sample } from './sample';
import { narrowed, reference, type JsonSchema } from './schemas';

export const BINDING_VERSION = '0.3.0';

const TIME = '2026-01-15T10:00:00Z';
const REQUEST_ID = '01933f6e-52b7-7a10-8f4e-3c9d1e0b7a64';
const JOB_ID = '01933f6e-530c-7c41-b2aa-91f0c4d6e8b3';
const CORRELATION = 'order-981';
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const SUMMARIES: Record<OutcomeName, string> = {
  completed: 'The job ran and its effects happened. Terminal.',
  failed: 'The job will not be tried again by itself. Terminal for this generation: an operator may replay it.',
  cancelled: 'The job was ended before any effect. Terminal.',
  attention: 'The job is in doubt, or its customer must act. Another outcome follows.',
  duplicate: 'The request named work that is done or under way; sent again with the result when that ends.',
  rejected: 'The request can never be accepted; `error.details` lists every problem.',
};

export interface Message {
  name: string;
  title: string;
  summary: string;
  contentType: string;
  correlationId: { location: string };
  headers: JsonSchema;
  payload: JsonSchema;
  bindings: { amqp: { messageType: string; bindingVersion: string } };
  examples: { name: string; headers: Record<string, string>; payload: unknown }[];
}

/** A request for a job of one type. */
export function requestMessage(type: JobType, payload: JsonSchema): Message {
  const body = narrowed('job-request', {
    queue: { const: type.queue },
    type: { const: type.name },
    data: reference(`payload.${type.name}`),
  });
  const data = {
    queue: type.queue,
    type: type.name,
    data: sample(payload, `the payload of ${type.name}`),
    idempotencyKey: `${CORRELATION}-${type.name}`,
  };
  return message({
    name: `request.${type.name}`,
    title: `Request for ${type.name}`,
    summary: `Asks for one ${type.name} job.`,
    type: JOB_REQUESTED,
    payload: narrowed('cloud-event', { type: { const: JOB_REQUESTED }, data: body }),
    example: incoming('/payment-service', JOB_REQUESTED, data),
  });
}

/** A domain event that asks for jobs. */
export function eventMessage(name: DomainEventName, data: JsonSchema): Message {
  const type = `com.tickettoken.${name}.v1`;
  return message({
    name: `event.${name}`,
    title: `Domain event ${name}`,
    summary: `Tells of ${name}, for which this service does what its mapping says.`,
    type,
    payload: narrowed('cloud-event', { type: { enum: [type, name] }, data: reference(`event.${name}`) }),
    example: incoming('/order-service', type, sample(data, `the event ${name}`)),
  });
}

/** A domain event that this service publishes itself. */
export function publishedMessage(name: PublishedEventName, data: JsonSchema): Message {
  const type = `com.tickettoken.${name}.v1`;
  const { correlationid, traceparent, ...example } = incoming(SERVICE_SOURCE, type, sample(data, `the event ${name}`));
  return message({
    name: `event.${name}`,
    title: `Domain event ${name}`,
    summary: `Tells of ${name}, by a provider's word. Told once, and again only after a lost confirm.`,
    type,
    payload: narrowed('cloud-event', { type: { const: type }, data: reference(`event.${name}`) }),
    example,
  });
}

/** Every outcome that a job of one type may have. */
export function outcomeMessages(type: JobType, result: JsonSchema): Message[] {
  return OUTCOMES.map((outcome) => {
    const resultOf: Partial<Record<OutcomeName, JsonSchema>> = {
      completed: reference(`result.${type.name}`),
      duplicate: { anyOf: [reference(`result.${type.name}`), { type: 'null' }] },
    };
    const narrow = {
      queue: { const: type.queue },
      type: { const: type.name },
      outcome: { const: outcome },
      result: resultOf[outcome] ?? { type: 'null' },
      error: ERROR_OF[outcome],
    };
    const example = sample(result, `the result of ${type.name}`);
    return outcomeOf(`outcome.${type.name}`, outcome, narrow, {
      ...exampleData(outcome),
      queue: type.queue,
      type: type.name,
      result: outcome === 'completed' || outcome === 'duplicate' ? example : null,
    });
  });
}

/** The answer to what could not be read, or names no known type. */
export function unreadableMessage(): Message {
  const narrow = { type: { const: 'unknown' }, outcome: { const: 'rejected' }, error: ERROR_OF.rejected };
  return outcomeOf('outcome.unknown', 'rejected', narrow, {
    ...exampleData('rejected'),
    requestId: null,
    correlationId: null,
    idempotencyKey: null,
    error: {
      code: 'UNREADABLE',
      message: 'The message cannot be read.',
      replayable: false,
      details: [{ path: '(body)', message: 'is not valid JSON' }],
    },
  });
}

const ERROR_OF: Record<OutcomeName, JsonSchema> = {
  completed: { type: 'null' },
  cancelled: {},
  duplicate: {},
  failed: reference('outcome-error'),
  attention: reference('outcome-error'),
  rejected: reference('outcome-error'),
};

function outcomeOf(name: string, outcome: OutcomeName, narrow: Record<string, JsonSchema>, data: OutcomeData): Message {
  const written = outcomeMessage(REQUEST_ID, data, { source: undefined, traceparent: TRACE, time: new Date(TIME) });
  return message({
    name: `${name}.${outcome}`,
    title: `${data.type} ${outcome}`,
    summary: SUMMARIES[outcome],
    type: written.type,
    payload: narrowed('cloud-event', { type: { const: written.type }, data: narrowed('outcome', narrow) }),
    example: JSON.parse(written.body),
  });
}

function message(parts: {
  name: string;
  title: string;
  summary: string;
  type: string;
  payload: JsonSchema;
  example: unknown;
}): Message {
  const { name, title, summary, type, payload, example } = parts;
  return {
    name,
    title,
    summary,
    contentType: CONTENT_TYPE,
    correlationId: { location: '$message.payload#/correlationid' },
    headers: { type: 'object', properties: { traceparent: { type: 'string' } } },
    payload,
    bindings: { amqp: { messageType: type, bindingVersion: BINDING_VERSION } },
    examples: [{ name: 'example', headers: { traceparent: TRACE }, payload: example }],
  };
}

function incoming(source: string, type: string, data: unknown) {
  return {
    specversion: '1.0',
    id: REQUEST_ID,
    source,
    type,
    time: TIME,
    datacontenttype: 'application/json',
    correlationid: CORRELATION,
    traceparent: TRACE,
    data,
  };
}

function exampleData(outcome: OutcomeName): OutcomeData {
  const refused = outcome === 'rejected';
  const ended = outcome === 'completed' || outcome === 'failed' || outcome === 'cancelled';
  return {
    jobId: refused ? null : JOB_ID,
    queue: 'money',
    type: 'unknown',
    outcome,
    requestId: REQUEST_ID,
    correlationId: CORRELATION,
    idempotencyKey: CORRELATION,
    generation: refused ? null : 1,
    sequence: refused ? 0 : 1,
    attempts: refused || outcome === 'cancelled' ? 0 : 1,
    result: null,
    error: EXAMPLE_ERRORS[outcome] ?? null,
    acceptedAt: refused ? null : TIME,
    startedAt: refused || outcome === 'cancelled' ? null : TIME,
    finishedAt: ended || outcome === 'duplicate' ? TIME : null,
  };
}

const EXAMPLE_ERRORS: Partial<Record<OutcomeName, NonNullable<OutcomeData['error']>>> = {
  failed: { code: 'TIMEOUT', message: 'the attempt did not end in time', replayable: true },
  attention: { code: 'TIMEOUT', message: 'what happened outside cannot be told yet', replayable: false },
  rejected: {
    code: 'INVALID_REQUEST',
    message: 'The request does not have the form that its type asks for.',
    replayable: false,
    details: [{ path: 'data.data', message: 'Invalid input: expected object, received undefined' }],
  },
};
