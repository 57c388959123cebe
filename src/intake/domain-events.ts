import type { z } from 'zod';
import { findJobType } from '../catalogue';
import {
  DOMAIN_EVENTS,
  isDomainEventName,
  type DomainEventData,
  type DomainEventName,
} from '../contract/domain-events';
import { timeOf, type CloudEvent } from '../contract/envelope';
import { problemsOf } from '../contract/problems';
import type { Problem } from '../platform/json-problems';
import { cancellationJobs, reminderJobs } from './audience-mappings';
import { requestKeyOf } from './keys';
import type { MappedJob } from './mapped-job';
import { payoutJob, refundJob, refundReceiptJob } from './money-mappings';
import type { IntakeRequest, RejectionCode } from './request';

type Read = { jobs: MappedJob[] } | { problems: Problem[] };

/** Reads an event's data by its schema, and says what jobs it stands for. */
function mapping<Data>(schema: z.ZodType<Data>, jobsOf: (data: Data) => MappedJob[]): (data: unknown) => Read {
  return (data) => {
    const parsed = schema.safeParse(data);
    return parsed.success ? { jobs: jobsOf(parsed.data) } : { problems: problemsOf(parsed.error, 'data') };
  };
}

type PaidOrder = DomainEventData<'order.paid'>;

function receiptOf({ orderId, transactionId, eventId, amount, currency, email, tickets }: PaidOrder): MappedJob {
  return {
    type: 'send-email',
    idempotencyKey: `order-${orderId}-receipt`,
    data: {
      to: email,
      template: 'order-receipt',
      data: { orderId, transactionId, eventId, amount, currency, tickets },
    },
    places: { 'data.to': 'data.email', 'data.data': 'data' },
  };
}

/** The envelope's time is no part of it: an event that is told again may have another one, and is the same sale. */
function saleOf({ orderId, transactionId, amount, currency, tickets, paidAt, ...order }: PaidOrder): MappedJob {
  return {
    type: 'analytics-track',
    idempotencyKey: `order-${orderId}-analytics`,
    data: {
      eventType: 'order.paid',
      venueId: order.venueId,
      userId: order.userId,
      eventId: order.eventId,
      data: { orderId, transactionId, amount, currency, tickets: tickets.length },
      ...(paidAt === undefined ? {} : { timestamp: paidAt }),
    },
    places: { 'data.timestamp': 'data.paidAt', 'data.data': 'data' },
  };
}

/** An index is part of a job's identity: new jobs of an event come after those that it has. */
const MAPPINGS: Record<DomainEventName, (data: unknown) => Read> = {
  'order.placed': mapping(DOMAIN_EVENTS['order.placed'], (order) => [
    {
      type: 'payment-process',
      idempotencyKey: `order-${order.orderId}-payment`,
      data: {
        userId: order.userId,
        venueId: order.venueId,
        eventId: order.eventId,
        amount: order.amount,
        currency: order.currency,
        paymentMethod: order.paymentMethod,
        ...(order.provider === undefined ? {} : { provider: order.provider }),
      },
    },
  ]),
  'order.paid': mapping(DOMAIN_EVENTS['order.paid'], (order) => [receiptOf(order), saleOf(order)]),
  'order.refund_requested': mapping(DOMAIN_EVENTS['order.refund_requested'], (refund) => [refundJob(refund)]),
  'order.refunded': mapping(DOMAIN_EVENTS['order.refunded'], (refund) => [refundReceiptJob(refund)]),
  'event.reminder_due': mapping(DOMAIN_EVENTS['event.reminder_due'], reminderJobs),
  'event.cancelled': mapping(DOMAIN_EVENTS['event.cancelled'], cancellationJobs),
  'venue.payout_due': mapping(DOMAIN_EVENTS['venue.payout_due'], (payout) => [payoutJob(payout)]),
  'user.activity': mapping(DOMAIN_EVENTS['user.activity'], ({ activityId, ...data }) => [
    { type: 'analytics-track', idempotencyKey: `activity-${activityId}-analytics`, data },
  ]),
};

export type Mapped = { requests: IntakeRequest[] } | { code: RejectionCode; problems: Problem[] };

/** A domain event → the requests that it stands for, or everything that is wrong with it. */
export function mapDomainEvent(event: CloudEvent, name: string): Mapped {
  if (!isDomainEventName(name)) {
    return { code: 'UNKNOWN_EVENT', problems: [{ path: '(routing key)', message: 'is not a known domain event' }] };
  }
  const problems = event.type === name || event.type === `com.tickettoken.${name}.v1` ? [] : [typeProblem(name)];
  const read = MAPPINGS[name](event.data);
  if ('problems' in read) problems.push(...read.problems);
  if ('problems' in read || problems.length > 0) return { code: 'INVALID_REQUEST', problems };
  return collect(read.jobs.map((job, index) => toRequest(event, name, job, index)));
}

function typeProblem(name: string): Problem {
  return { path: 'type', message: `must be com.tickettoken.${name}.v1 for this routing key` };
}

/** An event is accepted whole or not at all; what is wrong with many of its jobs is said once. */
function collect(judged: (IntakeRequest | Problem[])[]): Mapped {
  const found = judged.flatMap((entry) => (Array.isArray(entry) ? entry : []));
  const problems = [...new Map(found.map((problem) => [`${problem.path} ${problem.message}`, problem])).values()];
  if (problems.length > 0) return { code: 'INVALID_REQUEST', problems };
  return { requests: judged.flatMap((entry) => (Array.isArray(entry) ? [] : [entry])) };
}

/** The event's fields carry the payload's names, unless the mapping says otherwise. */
function placeInEvent({ places = {} }: MappedJob, path: string): string {
  const inPayload = path.replace(/^data\.data/, 'data');
  const renamed = Object.entries(places).find(([from]) => inPayload === from || inPayload.startsWith(`${from}.`));
  return renamed ? inPayload.replace(...renamed) : inPayload;
}

function toRequest(event: CloudEvent, mapping: string, job: MappedJob, index: number): IntakeRequest | Problem[] {
  const type = findJobType(job.type);
  if (!type) throw new Error(`the mapping of ${mapping} asks for ${job.type}, which does not exist`);
  const judged = type.check(job.data, { time: timeOf(event) });
  if ('problems' in judged) {
    return judged.problems.map(({ path, message }) => ({ path: placeInEvent(job, path), message }));
  }
  return {
    type,
    data: job.data,
    idempotencyKey: { callers: true, key: job.idempotencyKey },
    options: {},
    orderingKey: undefined,
    requestKey: requestKeyOf(event.source, event.id, { mapping, index }),
    requestId: event.id,
    source: event.source,
    correlationId: event.correlationid,
    traceparent: event.traceparent,
  };
}
