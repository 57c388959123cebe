/** A line between a client and its server that a test can cut, block or let fall silent. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Line {
  client: Socket;
  server: Socket;
}

export class TcpProxy {
  private readonly lines = new Set<Line>();
  private blocked = false;
  private silent = false;
  /** Connections that clients have made, those that were refused by `block` left out. */
  accepted = 0;
  /** Connections that `block` refused. */
  refused = 0;

  private constructor(
    private readonly listener: Server,
    private readonly target: { host: string; port: number },
  ) {
    listener.on('connection', (client) => this.join(client));
  }

  /** @param url of the server behind the line */
  static async open(url: string): Promise<TcpProxy> {
    const { hostname: host, port } = new URL(url);
    const listener = createServer();
    const proxy = new TcpProxy(listener, { host, port: Number(port) });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** The same URL, through this line. */
  through(url: string): string {
    // A server on a TCP port has an address with a port; Node's type covers pipes too.
    const { port } = this.listener.address() as AddressInfo;
    const changed = new URL(url);
    changed.host = `127.0.0.1:${port}`;
    return changed.toString();
  }

  /** Connections that are open now. */
  get open(): number {
    return this.lines.size;
  }

  /** Breaks every connection off with RST; new ones are taken at once. */
  cut(): void {
    for (const { client, server } of this.lines) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Breaks every connection off, and each new one too, until `unblock`. */
  block(): void {
    this.blocked = true;
    this.cut();
  }

  unblock(): void {
    this.blocked = false;
  }

  /** Half-open: connections stay and nothing arrives at either end, until `resume`. */
  silence(): void {
    this.silent = true;
    for (const { client, server } of this.lines) for (const end of [client, server]) end.pause();
  }

  /** What clients send arrives, and no answer comes back to those that are connected, until `resume` or a cut. */
  holdAnswers(): void {
    for (const { server } of this.lines) server.pause();
  }

  /** Half-open for ever: those connections that are open fall silent, new ones work. */
  strand(): void {
    this.silence();
    this.silent = false;
  }

  resume(): void {
    this.silent = false;
    for (const { client, server } of this.lines) for (const end of [client, server]) end.resume();
  }

  async close(): Promise<void> {
    this.block();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }

  private join(client: Socket): void {
    if (this.blocked) {
      this.refused += 1;
      client.resetAndDestroy();
      return;
    }
    this.accepted += 1;
    const server = connect({ ...this.target, noDelay: true });
    client.setNoDelay(true);
    const line = { client, server };
    this.lines.add(line);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.lines.delete(line);
      });
      if (this.silent) from.pause();
    }
  }
}
