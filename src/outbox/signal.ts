import { Client } from 'pg';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Database } from '../platform/postgres/database';
import { pause } from '../platform/time';

/** PostgreSQL channel on which processes tell the relay that rows were committed. */
const CHANNEL = 'outbox_events';
const RECONNECT_MS = 1_000;

/**
 * Tells the relay, in this process or another, that there is something to publish. Sent after COMMIT and coalesced: a
 * NOTIFY inside the settling transaction would make all commits wait for each other.
 */
export class OutboxSignal {
  private localRelay: (() => boolean) | undefined;
  private sending = false;
  private again = false;

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  /** @param wake starts the relay of this process; false when that relay is not the active one */
  attachRelay(wake: () => boolean): void {
    this.localRelay = wake;
  }

  send(): void {
    if (this.localRelay?.()) return;
    if (this.sending) this.again = true;
    else void this.notify();
  }

  private async notify(): Promise<void> {
    this.sending = true;
    do {
      this.again = false;
      // A lost signal costs the relay's poll interval, nothing else.
      await this.database
        .query({ name: 'outbox-notify', text: `SELECT pg_notify('${CHANNEL}', '')` })
        .catch((error: unknown) => this.log.warn('relay not signalled', { error: describeError(error) }));
    } while (this.again);
    this.sending = false;
  }
}

/** Listens on a connection of its own, which must not go through a transaction-mode pooler. */
export class OutboxListener {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private readonly onSignal: () => void,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.listen(signal).catch((error: unknown) =>
        this.log.warn('relay does not hear signals', { error: describeError(error) }),
      );
      await pause(RECONNECT_MS, signal);
    }
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 5_000, keepAlive: true });
    const gone = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on('notification', () => this.onSignal());
      await client.query(`LISTEN ${CHANNEL}`);
      this.onSignal();
      await gone;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
