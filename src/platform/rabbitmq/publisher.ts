import type { ChannelWrapper } from 'amqp-connection-manager';
import type { ConfirmChannel, Message } from 'amqplib';
import { within } from '../time';
import type { RabbitConnection } from './connection';

export interface OutgoingMessage {
  messageId: string;
  exchange: string;
  routingKey: string;
  body: Buffer;
  contentType: string;
  type: string;
  correlationId?: string;
  /** Further routing keys for the same message; each queue still gets one copy. The broker removes the list. */
  alsoTo?: string[];
  headers?: Record<string, string>;
  /** Ask the broker to say when no queue takes the message; otherwise it is confirmed and gone. */
  mandatory: boolean;
}

/**
 * `unroutable`: the broker took responsibility for nothing, since no queue is bound (mandatory messages only). `refused`:
 * it will not have this message, or cannot be given it at all; some of its queues may have taken their copy.
 */
export type PublishResult = 'confirmed' | 'unroutable' | 'refused';

/** The broker was not connected, so the message was certainly not sent. */
export class NotConnectedError extends Error {
  override name = 'NotConnectedError';
}

const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Publishes persistent messages on a raw confirm channel. A rejection is ambiguous by nature (the connection broke
 * before the confirm came): the caller publishes again with the same message id. Nothing is buffered here, and callers
 * put a time limit on whole batches: a timer for each message would cost more than the message.
 */
export class Publisher {
  private channel: ConfirmChannel | undefined;
  private wrapper: ChannelWrapper;
  /**
   * Message ids that the broker returned, and how often: the same message may be under way twice. A return always arrives
   * before the confirm of its message.
   */
  private readonly returned = new Map<string, number>();

  constructor(
    private readonly connection: RabbitConnection,
    private readonly options: {
      name: string;
      setup: (channel: ConfirmChannel) => Promise<void>;
      /** Called as soon as a channel can be published on. */
      onConnected?: () => void;
    },
  ) {
    this.wrapper = this.open();
  }

  get connected(): boolean {
    return this.channel !== undefined;
  }

  publish(message: OutgoingMessage): Promise<PublishResult> {
    const channel = this.channel;
    if (!channel) return Promise.reject(new NotConnectedError('the broker is not connected'));
    return this.send(channel, message);
  }

  /**
   * Gives up the channel with everything that it has not confirmed, and publishes on a new one as soon as the broker
   * answers again.
   */
  startOver(): void {
    const { wrapper } = this;
    this.channel = undefined;
    this.wrapper = this.open();
    // The broker may be too busy to answer; then the channel ends with its connection.
    wrapper.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await within(CLOSE_TIMEOUT_MS, `closing the publisher ${this.options.name}`, this.wrapper.close());
  }

  private open(): ChannelWrapper {
    const wrapper = this.connection.openConfirmChannel({
      name: this.options.name,
      // A wrapper that was given up may still get a channel that was on its way.
      setup: (channel) => (this.wrapper === wrapper ? this.attach(channel) : channel.close()),
      onGone: (channel) => {
        if (this.channel === channel) this.channel = undefined;
      },
    });
    return wrapper;
  }

  private async attach(channel: ConfirmChannel): Promise<void> {
    await this.options.setup(channel);
    channel.on('return', (message: Message) => {
      const { messageId }: { messageId?: unknown } = message.properties;
      if (typeof messageId === 'string') this.returned.set(messageId, (this.returned.get(messageId) ?? 0) + 1);
    });
    this.returned.clear();
    this.channel = channel;
    this.options.onConnected?.();
  }

  private takeReturn(messageId: string): boolean {
    const times = this.returned.get(messageId) ?? 0;
    if (times > 1) this.returned.set(messageId, times - 1);
    else this.returned.delete(messageId);
    return times > 0;
  }

  private send(channel: ConfirmChannel, message: OutgoingMessage): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      const onConfirm = (error: unknown): void => {
        const returned = this.takeReturn(message.messageId);
        if (!error) resolve(returned ? 'unroutable' : 'confirmed');
        else if (isRefusal(error)) resolve('refused');
        else reject(error instanceof Error ? error : new Error('the confirm did not come'));
      };
      try {
        channel.publish(message.exchange, message.routingKey, message.body, propertiesOf(message), onConfirm);
      } catch (error) {
        onConfirm(error);
      }
    });
  }
}

/** What the message itself is to blame for: a nack, or properties that AMQP cannot express; not a channel that closed. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // amqplib tells a nack by this text alone; see `handleConfirm` in its channel.js.
  return error.message === 'message nacked' || error instanceof TypeError || error instanceof RangeError;
}

function propertiesOf(message: OutgoingMessage) {
  return {
    persistent: true,
    mandatory: message.mandatory,
    messageId: message.messageId,
    contentType: message.contentType,
    type: message.type,
    ...(message.correlationId === undefined ? {} : { correlationId: message.correlationId }),
    ...(message.alsoTo === undefined ? {} : { CC: message.alsoTo }),
    ...(message.headers === undefined ? {} : { headers: message.headers }),
  };
}
