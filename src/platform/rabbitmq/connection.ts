import { connect, type AmqpConnectionManager, type ChannelWrapper } from 'amqp-connection-manager';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { Socket } from 'node:net';
import { coalesceWrites } from '../coalesce-writes';
import type { Logger } from '../logger';
import { describeError } from '../logger';
import { within } from '../time';

const RECONNECT_SECONDS = 1;
const HEARTBEAT_SECONDS = 5;
const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;

/** What a channel of either kind is given when it opens, and told when it is gone. */
export interface ChannelUse<Kind extends Channel> {
  name: string;
  setup: (channel: Kind) => Promise<void>;
  onGone: (channel: Kind) => void;
}

/**
 * One broker connection that comes back by itself. amqp-connection-manager keeps it and runs each channel's `setup`
 * after every reconnect; its own publish buffer is never used, since it would hold messages without bounds.
 *
 * `noDelay` is essential: amqplib leaves Nagle's algorithm on, which triples the latency of the pipeline.
 */
export class RabbitConnection {
  private readonly manager: AmqpConnectionManager;
  private closing = false;
  /** The connection that is being given up, so that several failed channels give it up once. */
  private leaving: ChannelModel | undefined;

  constructor(
    url: string,
    private readonly purpose: string,
    private readonly log: Logger,
  ) {
    this.manager = connect([url], {
      heartbeatIntervalInSeconds: HEARTBEAT_SECONDS,
      reconnectTimeInSeconds: RECONNECT_SECONDS,
      connectionOptions: {
        noDelay: true,
        timeout: CONNECT_TIMEOUT_MS,
        clientProperties: { connection_name: `queue-service ${purpose}` },
      },
    });
    this.manager.on('connect', () => {
      if (this.manager.connection) coalesceWrites(socketOf(this.manager.connection));
      log.info('broker connected', { purpose });
    });
    this.manager.on('disconnect', ({ err }) => log.warn('broker disconnected', { purpose, error: describeError(err) }));
    this.manager.on('connectFailed', ({ err }) =>
      log.warn('broker unreachable', { purpose, error: describeError(err) }),
    );
    this.manager.on('blocked', ({ reason }) => log.warn('broker blocks publishers', { purpose, reason }));
  }

  openChannel(use: ChannelUse<Channel>): ChannelWrapper {
    return this.open(use, false);
  }

  openConfirmChannel(use: ChannelUse<ConfirmChannel>): ChannelWrapper {
    return this.open(use, true);
  }

  /** @throws while the broker is away */
  async check(): Promise<void> {
    if (!this.manager.isConnected()) throw new Error(`broker connection ${this.purpose} is down`);
  }

  async close(): Promise<void> {
    this.closing = true;
    await within(CLOSE_TIMEOUT_MS, `closing broker connection ${this.purpose}`, this.manager.close());
  }

  private open<Kind extends Channel>(use: ChannelUse<Kind>, confirm: boolean): ChannelWrapper {
    const wrapper = this.manager.createChannel({
      name: use.name,
      confirm,
      // The wrapper hands over a ConfirmChannel exactly when `confirm` is set, which its type cannot express.
      setup: (channel: Channel) => this.prepare(channel as Kind, use),
    });
    // Without a listener the wrapper's 'error' event would end the process.
    wrapper.on('error', (error: Error) =>
      this.log.error('broker channel set-up failed', { channel: use.name, error: describeError(error) }),
    );
    return wrapper;
  }

  private async prepare<Kind extends Channel>(channel: Kind, use: ChannelUse<Kind>): Promise<void> {
    channel.on('error', (error: Error) => {
      this.log.error('broker closed a channel', { channel: use.name, error: describeError(error) });
      this.startOver();
    });
    channel.on('close', () => use.onGone(channel));
    await use.setup(channel);
  }

  /**
   * The connection survives its channel, but nothing reopens a channel that the broker closed. Closing the connection has
   * the manager connect again, after its pause, with all channels. Its own `reconnect()` would not do: it takes the
   * error listeners off a connection that is still alive, and two calls leave two connections.
   */
  private startOver(): void {
    const connection = this.manager.connection;
    if (this.closing || !connection || connection === this.leaving) return;
    this.leaving = connection;
    connection
      .close()
      .catch((error: unknown) =>
        this.log.warn('broker connection not closed cleanly', { purpose: this.purpose, error: describeError(error) }),
      );
  }
}

/** Its types do not tell that the connection has it. */
function socketOf({ connection }: ChannelModel): Socket {
  const stream: unknown = Reflect.get(connection, 'stream');
  if (stream instanceof Socket) return stream;
  throw new TypeError('amqplib does not keep its socket where it used to');
}
