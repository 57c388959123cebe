import { randomUUID } from 'node:crypto';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import { findJobType } from '../../../src/catalogue';
import { CONTENT_TYPE, EXCHANGES, JOB_REQUESTED } from '../../../src/contract/names';
import { outcomeEvent, type OutcomeEvent } from '../../../src/contract/outcome-event';
import { declareTopology } from '../../../src/topology/assert';
import { eventually } from './wait';

export interface ReceivedOutcome extends OutcomeEvent {
  routingKey: string;
  messageId: unknown;
}

/** One request; what is left out is filled in. */
export interface RequestParts {
  id?: string;
  source?: string;
  correlationid?: string;
  traceparent?: string;
  type: string;
  data: Record<string, unknown>;
  idempotencyKey?: string;
  options?: Record<string, unknown>;
}

/** A service beside ours: publishes requests and events, and hears every outcome. */
export class TestBus {
  readonly outcomes: ReceivedOutcome[] = [];

  private constructor(
    private readonly connection: ChannelModel,
    readonly channel: ConfirmChannel,
  ) {}

  static async open(amqpUrl: string): Promise<TestBus> {
    const connection = await connect(amqpUrl, { noDelay: true });
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    await declareTopology(channel);
    const bus = new TestBus(connection, channel);
    const { queue } = await channel.assertQueue('test.outcomes', { durable: true });
    await channel.bindQueue(queue, EXCHANGES.outcomes, '#');
    await channel.consume(queue, (message) => {
      if (!message) return;
      const event = outcomeEvent.parse(JSON.parse(message.content.toString()));
      bus.outcomes.push({ ...event, routingKey: message.fields.routingKey, messageId: message.properties.messageId });
      channel.ack(message);
    });
    return bus;
  }

  /** Publishes a job request and resolves with its event id once the broker has confirmed it. */
  async request(parts: RequestParts): Promise<string> {
    const event = jobRequestEvent(parts);
    const queue = findJobType(parts.type)?.queue ?? 'money';
    await this.publish(EXCHANGES.requests, `${queue}.${parts.type}`, JSON.stringify(event), { messageId: event.id });
    return event.id;
  }

  /** Publishes a domain event. */
  async event(name: string, data: unknown, id: string = randomUUID(), source = '/order-service'): Promise<string> {
    const event = {
      specversion: '1.0',
      id,
      source,
      type: `com.tickettoken.${name}.v1`,
      time: new Date().toISOString(),
      data,
    };
    await this.publish(EXCHANGES.domainEvents, name, JSON.stringify(event), { messageId: id });
    return id;
  }

  /** Publishes bytes as they are. */
  publish(
    exchange: string,
    routingKey: string,
    body: string | Buffer,
    options: { messageId?: string; contentType?: string; headers?: Record<string, unknown> } = {},
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.channel.publish(
        exchange,
        routingKey,
        Buffer.from(body),
        { persistent: true, contentType: CONTENT_TYPE, ...options },
        (error: unknown) => (error ? reject(new Error('not confirmed')) : resolve()),
      );
    });
  }

  outcomesOf(requestId: string, outcome?: string): ReceivedOutcome[] {
    return this.outcomes.filter(
      (event) => event.data.requestId === requestId && (outcome === undefined || event.data.outcome === outcome),
    );
  }

  /** Waits for an outcome of a request; of any kind, or of the one named. */
  outcomeOf(requestId: string, outcome?: string, limitMs?: number): Promise<ReceivedOutcome> {
    return eventually(
      `${outcome ?? 'any'} outcome of request ${requestId}`,
      () => this.outcomesOf(requestId, outcome)[0],
      limitMs,
    );
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }
}

export function jobRequestEvent(parts: RequestParts) {
  const {
    id = randomUUID(),
    source = '/test-service',
    correlationid,
    traceparent,
    type,
    data,
    idempotencyKey,
    options,
  } = parts;
  return {
    specversion: '1.0',
    id,
    source,
    type: JOB_REQUESTED,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    ...(correlationid === undefined ? {} : { correlationid }),
    ...(traceparent === undefined ? {} : { traceparent }),
    data: {
      type,
      data,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(options === undefined ? {} : { options }),
    },
  };
}
