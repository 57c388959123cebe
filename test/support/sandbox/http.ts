/** The HTTP front that every provider's sandbox shares: whole requests in, JSON out, and the ways in which a line fails. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export interface SandboxRequest {
  method: string;
  path: string;
  query: string;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** The same before it was read as text. */
  bytes: Buffer;
}

export interface SandboxReply {
  status: number;
  /** Nothing at all when absent. */
  body?: object;
  headers?: Record<string, string>;
}

/** `reset` breaks the connection off without an answer, `hang` leaves it open without one. */
export type Handled = SandboxReply | 'reset' | 'hang';

export interface Address {
  /** 0 takes a free one. */
  port?: number;
  /** This machine alone by default. */
  host?: string;
  /** Over TLS, under the certificate that tests trust. */
  tls?: boolean;
}

const TLS = path.join(__dirname, 'tls');
/** What a client must trust to reach a stand-in over TLS; good for this machine's addresses alone. */
export const certificate = readFileSync(path.join(TLS, 'certificate.pem'), 'utf8');

export interface RunningServer {
  url: string;
  close(): Promise<void>;
}

export async function startServer(
  handle: (request: SandboxRequest) => Promise<Handled>,
  { port = 0, host = '127.0.0.1', tls = false }: Address,
): Promise<RunningServer> {
  const listener: http.RequestListener = (request, response) => void answer(request, response, handle);
  const server = tls
    ? https.createServer({ key: readFileSync(path.join(TLS, 'key.pem')), cert: certificate }, listener)
    : http.createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // A server on a TCP port has an address with a port; Node's type covers pipes too.
  const address = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  handle: (request: SandboxRequest) => Promise<Handled>,
): Promise<void> {
  try {
    const handled = await handle(await readRequest(request));
    if (handled === 'hang') return;
    if (handled === 'reset') request.socket.destroy();
    else send(response, handled);
  } catch (error) {
    // A defect of the sandbox must not look like a provider's answer.
    console.error(error);
    request.socket.destroy();
  }
}

async function readRequest(request: http.IncomingMessage): Promise<SandboxRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const bytes = Buffer.concat(chunks);
  const body = bytes.toString('utf8');
  return { method: request.method ?? 'GET', path, query, headers: request.headers, body, bytes };
}

function send(response: http.ServerResponse, { status, body, headers }: SandboxReply): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers }).end(text);
}
