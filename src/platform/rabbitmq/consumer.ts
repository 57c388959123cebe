import type { ChannelWrapper } from 'amqp-connection-manager';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../logger';
import { describeError } from '../logger';
import type { Metrics } from '../metrics';
import { within } from '../time';
import { Acknowledgements } from './acknowledgements';
import type { RabbitConnection } from './connection';

/** A message as the broker handed it over. `ack` may be called at any time later, once. */
export interface Delivery {
  queue: string;
  routingKey: string;
  content: Buffer;
  contentType: string | undefined;
  messageId: string | undefined;
  headers: Record<string, unknown>;
  /** How often the broker has handed this message out before (quorum queues count; see `x-delivery-count`). */
  earlierDeliveries: number;
  redelivered: boolean;
  /** Acknowledges on the channel that delivered; after that channel is gone it does nothing but count. */
  ack: () => void;
}

export interface ConsumerOptions {
  queue: string;
  /** Messages that may be handed over and not yet acknowledged. */
  prefetch: number;
  /** Runs on every new channel, before consuming. */
  setup: (channel: Channel) => Promise<void>;
}

const CLOSE_TIMEOUT_MS = 5_000;

export function consumerMetrics(metrics: Metrics) {
  return {
    staleAcks: metrics.counter('stale_ack_total', 'Acknowledgements dropped because their channel was gone', ['queue']),
  };
}

/**
 * Consumes one queue. Each channel is an epoch: a delivery tag means something only on the channel that issued it, so an
 * acknowledgement for an older channel is dropped (the broker has already put that message back).
 */
export class Consumer {
  private wrapper: ChannelWrapper | undefined;
  private current: Channel | undefined;
  private acknowledgements: Acknowledgements | undefined;

  constructor(
    private readonly connection: RabbitConnection,
    private readonly options: ConsumerOptions,
    private readonly onDelivery: (delivery: Delivery) => void,
    private readonly metrics: ReturnType<typeof consumerMetrics>,
    private readonly log: Logger,
  ) {}

  get consuming(): boolean {
    return this.current !== undefined;
  }

  /** Opens a channel and consumes, now or as soon as the broker is there. Does nothing when already open. */
  open(): void {
    if (this.wrapper) return;
    const wrapper = this.connection.openChannel({
      name: this.options.queue,
      // The wrapper may have been closed while its channel was on the way; then nobody else closes that channel.
      setup: (channel) => (this.wrapper === wrapper ? this.consume(channel) : channel.close()),
      onGone: (channel) => {
        if (this.current === channel) this.current = undefined;
      },
    });
    this.wrapper = wrapper;
  }

  /** Closes the channel; the broker puts back what was handed over and not acknowledged, in its old order. */
  async close(): Promise<void> {
    const wrapper = this.wrapper;
    this.acknowledgements?.flush();
    this.wrapper = undefined;
    this.current = undefined;
    if (!wrapper) return;
    await within(CLOSE_TIMEOUT_MS, `closing the consumer of ${this.options.queue}`, wrapper.close()).catch(
      (error: unknown) => this.log.warn('consumer not closed cleanly', { error: describeError(error) }),
    );
  }

  /** Stops new deliveries but keeps the channel, so that what is under way can still be acknowledged. */
  async cancel(): Promise<void> {
    const channel = this.current;
    if (!channel) return;
    await within(CLOSE_TIMEOUT_MS, `cancelling the consumer of ${this.options.queue}`, channel.cancel(this.tag)).catch(
      (error: unknown) => this.log.warn('consumer not cancelled cleanly', { error: describeError(error) }),
    );
  }

  /** The broker sends null when the queue was deleted: it is declared again, on a channel that consumes it. */
  private reopen(): void {
    // Closed on purpose: then it is opened by whoever closed it.
    if (!this.wrapper) return;
    this.log.error('the broker ended a consumer', { queue: this.options.queue });
    void this.close().then(() => this.open());
  }

  private get tag(): string {
    return `queue-service.${process.pid}.${this.options.queue}`;
  }

  private async consume(channel: Channel): Promise<void> {
    await this.options.setup(channel);
    await channel.prefetch(this.options.prefetch);
    const acknowledgements = new Acknowledgements((message, allUpTo) => this.send(channel, message, allUpTo));
    this.acknowledgements = acknowledgements;
    this.current = channel;
    const acknowledge = (message: ConsumeMessage): void => {
      if (!this.isStale(channel)) acknowledgements.add(message);
    };
    await channel.consume(
      this.options.queue,
      (message) => (message ? this.onDelivery(this.delivery(message, acknowledge)) : this.reopen()),
      { consumerTag: this.tag },
    );
  }

  private delivery(message: ConsumeMessage, acknowledge: (message: ConsumeMessage) => void): Delivery {
    const headers: Record<string, unknown> = message.properties.headers ?? {};
    const count = headers['x-delivery-count'];
    return {
      queue: this.options.queue,
      routingKey: message.fields.routingKey,
      content: message.content,
      contentType: text(message.properties.contentType),
      messageId: text(message.properties.messageId),
      headers,
      earlierDeliveries: typeof count === 'number' ? count : message.fields.redelivered ? 1 : 0,
      redelivered: message.fields.redelivered,
      ack: () => acknowledge(message),
    };
  }

  private send(channel: Channel, message: ConsumeMessage, allUpTo: boolean): void {
    if (this.isStale(channel)) return;
    try {
      channel.ack(message, allUpTo);
    } catch (error) {
      // It closed a moment ago and has not said so yet; the broker puts back what it handed over.
      this.log.warn('not acknowledged', { queue: this.options.queue, error: describeError(error) });
    }
  }

  private isStale(channel: Channel): boolean {
    if (this.current === channel) return false;
    this.metrics.staleAcks.inc({ queue: this.options.queue });
    return true;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
