/** Public names on the broker. Other programs rely on them: they may be added to, never changed. */

export const TIERS = ['money', 'communication', 'background'] as const;
export type Tier = (typeof TIERS)[number];
/** Tiers whose open jobs live in their Redis alone. */
export const LOWER_TIERS = ['communication', 'background'] as const satisfies readonly Tier[];
export type LowerTier = (typeof LOWER_TIERS)[number];

export const EXCHANGES = {
  /** Services publish job requests here; routing key `<tier>.<type>`. */
  requests: 'jobs.requests',
  /** Services publish domain events here; routing key = the event's name. */
  domainEvents: 'platform.events',
  /** Outcomes; routing key `<tier>.<type>.<outcome>`. */
  outcomes: 'jobs.events',
  /** What the broker dead-letters from the queues below. */
  dead: 'jobs.dead',
  /** Takes from `jobs.requests` what no tier is bound for. */
  unrouted: 'queue-service.unrouted',
} as const;

export const QUEUES = {
  requests: {
    money: 'queue-service.requests.money',
    communication: 'queue-service.requests.communication',
    background: 'queue-service.requests.background',
  },
  otherRequests: 'queue-service.requests.other',
  domainEvents: 'queue-service.domain-events',
  deadRequests: 'queue-service.dead-requests',
} as const;

export const CONTENT_TYPE = 'application/cloudevents+json';
export const JOB_REQUESTED = 'com.tickettoken.job.requested.v1';
/** The `source` of every event that this service publishes. */
export const SERVICE_SOURCE = '/queue-service';

/** A message body may have at most 1 MiB. */
export const MAX_BODY_BYTES = 1_048_576;

/** What a job type may be called where it stands in a routing key; anything else is written `unknown` there. */
export const JOB_TYPE_PATTERN = /^[a-z0-9-]{1,64}$/;

export function routingType(type: string | undefined): string {
  return type !== undefined && JOB_TYPE_PATTERN.test(type) ? type : 'unknown';
}

/** The routing key by which the outcomes of one requester's jobs can be bound by that requester alone. */
export function requesterKey(source: string): string {
  const name = source.replaceAll(/[^A-Za-z0-9]/g, '-').replaceAll(/^-+|-+$/g, '');
  return `to.${name.slice(0, 100)}`;
}
