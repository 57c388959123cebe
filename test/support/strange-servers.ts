import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers that answer as no provider would. */
export class StrangeServers {
  private readonly servers: http.Server[] = [];

  /** @returns the URL of one that answers so */
  async answering(listener: http.RequestListener): Promise<string> {
    const server = http.createServer(listener);
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A server on a TCP port has an address with a port; Node's type covers pipes too.
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  close(): void {
    for (const server of this.servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  }
}
