/**
 * Some other team's service, written from the public contract alone: amqplib and schemas of its own. Nothing of src/ may
 * be imported here or by the tests that use it, or they would agree with themselves.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { eventually } from './harness/wait';

const OUTCOMES = 'jobs.events';
const CONTENT_TYPE = 'application/cloudevents+json';
const LIMIT_MS = 10_000;

const uuidV5 = z.uuid({ version: 'v5' });
const timestamp = z.iso.datetime();
const problems = z.array(z.object({ path: z.string(), message: z.string().min(1) })).min(1);
const error = z.object({ code: z.string().min(1), message: z.string().min(1), replayable: z.boolean() });
/** A result is the bare data of its type. */
const result = z.record(z.string(), z.unknown());

/** Of a request that became a job, or met one. */
const ofJob = {
  jobId: z.uuid(),
  queue: z.enum(['money', 'communication', 'background']),
  type: z.string().regex(/^[a-z0-9-]{1,64}$/),
  requestId: z.string(),
  correlationId: z.string().nullable(),
  idempotencyKey: z.string(),
  generation: z.int().min(1),
  sequence: z.int(),
  attempts: z.int().min(0),
  acceptedAt: timestamp,
};
const ended = { ...ofJob, sequence: z.int().min(1), startedAt: timestamp.nullable(), finishedAt: timestamp };
const ran = { ...ended, attempts: z.int().min(1), startedAt: timestamp };
const never = { startedAt: z.null(), finishedAt: z.null() };

/** `data` by outcome, field by field: all are always there, and what does not apply is null. */
const outcomeData = z.discriminatedUnion('outcome', [
  z.object({ ...ran, outcome: z.literal('completed'), result, error: z.null() }),
  z.object({ ...ended, outcome: z.literal('failed'), result: z.null(), error }),
  z.object({ ...ended, outcome: z.literal('cancelled'), result: z.null(), error: error.nullable() }),
  z.object({ ...ran, outcome: z.literal('attention'), result: z.null(), error, finishedAt: z.null() }),
  z.object({
    ...ofJob,
    outcome: z.literal('duplicate'),
    result: result.nullable(),
    error: error.nullable(),
    startedAt: timestamp.nullable(),
    finishedAt: timestamp.nullable(),
  }),
  z.object({
    ...never,
    outcome: z.literal('rejected'),
    jobId: z.uuid().nullable(),
    queue: z.string().min(1),
    type: z.string().regex(/^[a-z0-9-]{1,64}$/),
    requestId: z.string().nullable(),
    correlationId: z.string().nullable(),
    idempotencyKey: z.string().nullable(),
    generation: z.null(),
    sequence: z.int(),
    attempts: z.literal(0),
    result: z.null(),
    error: error.extend({ details: problems }),
    acceptedAt: z.null(),
  }),
]);

const outcomeEvent = z.object({
  specversion: z.literal('1.0'),
  id: uuidV5,
  source: z.string().min(1),
  type: z.string().regex(/^com\.tickettoken\.job\.[a-z]+\.v1$/),
  subject: z.uuid().optional(),
  time: timestamp,
  datacontenttype: z.literal('application/json'),
  correlationid: z.string().optional(),
  traceparent: z.string().optional(),
  data: outcomeData,
});
export type OutcomeEvent = z.infer<typeof outcomeEvent>;
export type OutcomeName = OutcomeEvent['data']['outcome'];

/** An outcome with what AMQP carried beside it. */
export interface Heard {
  event: OutcomeEvent;
  routingKey: string;
  properties: ConsumeMessage['properties'];
}

/** What to publish; what is left out is filled in. */
export interface Request {
  /** `<queue>.<type>` */
  key: string;
  data: Record<string, unknown>;
  id?: string;
  correlationid?: string;
  traceparent?: string;
  /** Over the request's own members. */
  more?: Record<string, unknown>;
}

export class PlainService {
  /** What came by `to.<source>`, and what by `<queue>.#`. */
  readonly own: Heard[] = [];
  readonly overheard: Heard[] = [];
  /** Outcomes that are not as the contract says. */
  readonly strange: string[] = [];
  private readonly returned = new Set<unknown>();

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly source: string,
  ) {
    channel.on('return', (message: ConsumeMessage) => this.returned.add(message.properties.messageId));
  }

  static async open(amqpUrl: string, source: string): Promise<PlainService> {
    const connection = await connect(amqpUrl, { noDelay: true, timeout: LIMIT_MS });
    connection.on('error', () => undefined);
    const service = new PlainService(connection, await connection.createConfirmChannel(), source);
    await service.listen('plain.own', [ownKeyOf(source)], service.own);
    await service.listen('plain.all', ['money.#', 'communication.#', 'background.#', 'other.#'], service.overheard);
    return service;
  }

  /** Asks for a job; resolves with the request's id once the broker has confirmed that it is in a queue. */
  async request({ key, data, id = randomUUID(), correlationid, traceparent, more = {} }: Request): Promise<string> {
    const body = { type: key.slice(key.indexOf('.') + 1), data, ...more };
    const event = this.envelope('com.tickettoken.job.requested.v1', id, body, { correlationid, traceparent });
    await this.publish('jobs.requests', key, JSON.stringify(event), id);
    return id;
  }

  async domainEvent(name: string, data: unknown, id: string = randomUUID()): Promise<string> {
    await this.publish(
      'platform.events',
      name,
      JSON.stringify(this.envelope(`com.tickettoken.${name}.v1`, id, data)),
      id,
    );
    return id;
  }

  /** Persistent, mandatory, confirmed. @throws when the broker has no queue for it, or does not answer */
  async publish(exchange: string, routingKey: string, body: string, messageId: string = randomUUID()): Promise<void> {
    const properties = { persistent: true, mandatory: true, messageId, contentType: CONTENT_TYPE, timeout: LIMIT_MS };
    await new Promise<void>((resolve, reject) => {
      this.channel.publish(exchange, routingKey, Buffer.from(body), properties, (failure: unknown) =>
        failure ? reject(new Error('the broker did not take it', { cause: failure })) : resolve(),
      );
    });
    // The broker returns a message before it confirms it.
    if (this.returned.has(messageId)) throw new Error(`no queue takes ${routingKey}`);
  }

  /** Answers to one request, repeats dropped by their id, in the order of their coming. */
  answersTo(requestId: string, outcome?: OutcomeName): Heard[] {
    const seen = new Set<string>();
    return this.own.filter(({ event: { id, data } }) => {
      const mine = data.requestId === requestId && (outcome === undefined || data.outcome === outcome);
      return mine && !seen.has(id) && seen.add(id);
    });
  }

  outcomesTo(requestId: string): OutcomeName[] {
    return this.answersTo(requestId).map(({ event }) => event.data.outcome);
  }

  answer(requestId: string, outcome: OutcomeName, place = 0): Promise<Heard> {
    return eventually(
      `${outcome} ${place + 1} of ${requestId}; strange ones: ${this.strange.join('; ')}`,
      () => this.answersTo(requestId, outcome)[place],
    );
  }

  /** Answers to messages of which not even the sender could be read. */
  get nameless(): Heard[] {
    return this.overheard.filter(({ event }) => event.data.requestId === null);
  }

  /** Waits for what came by `to.<source>` to come by `<queue>.#` too, the same in every byte that matters. */
  async hasOverheard({ event, routingKey }: Heard): Promise<void> {
    await eventually(`${routingKey} of ${event.data.requestId} for everybody`, () =>
      this.overheard.some((one) => one.routingKey === routingKey && isDeepStrictEqual(one.event, event)),
    );
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private envelope(type: string, id: string, data: unknown, more: Record<string, unknown> = {}) {
    const time = new Date().toISOString();
    return {
      specversion: '1.0',
      id,
      source: this.source,
      type,
      time,
      datacontenttype: 'application/json',
      ...more,
      data,
    };
  }

  private async listen(queue: string, keys: string[], into: Heard[]): Promise<void> {
    await this.channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (const key of keys) await this.channel.bindQueue(queue, OUTCOMES, key);
    await this.channel.consume(queue, (message) => {
      if (!message) return;
      const event = outcomeEvent.safeParse(JSON.parse(message.content.toString()));
      const { properties, fields } = message;
      if (event.success) into.push({ event: event.data, routingKey: fields.routingKey, properties });
      else this.strange.push(`${fields.routingKey}: ${z.prettifyError(event.error)}: ${message.content.toString()}`);
      this.channel.ack(message);
    });
  }
}

/** Every character of the source outside `[A-Za-z0-9]` turned into `-`, trimmed of `-`, at most 100. */
function ownKeyOf(source: string): string {
  return `to.${source
    .replaceAll(/[^A-Za-z0-9]/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 100)}`;
}
