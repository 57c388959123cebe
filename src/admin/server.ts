import { randomUUID } from 'node:crypto';
import http, { type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpErrorCode } from '../contract/http';
import { within } from '../platform/time';
import { errorBody, HttpError } from './errors';

export interface ServerOptions {
  port: number;
  /** A whole request, its body included, has to be here after so long. */
  requestTimeoutMs: number;
  headersTimeoutMs: number;
}

/** How often the two limits are looked at. */
const CHECK_EVERY_MS = 1_000;
/** Longer than load balancers keep idle connections (60 s), or they would send requests into closing ones. */
const KEEP_ALIVE_MS = 65_000;
/** What has not been answered by then is broken off. */
const CLOSE_TIMEOUT_MS = 5_000;

/** The listening socket and its limits on slow callers. */
export class HttpServer {
  private readonly server: Server;
  /** The answer that is under way on each connection. */
  private readonly answering = new WeakMap<Socket, ServerResponse>();

  constructor(
    handle: RequestListener,
    private readonly options: ServerOptions,
    private readonly onRefusal: (code: HttpErrorCode) => void,
  ) {
    this.server = http.createServer(
      {
        requestTimeout: options.requestTimeoutMs,
        headersTimeout: options.headersTimeoutMs,
        connectionsCheckingInterval: CHECK_EVERY_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => {
        this.answering.set(request.socket, response);
        response.once('close', () => this.answering.delete(request.socket));
        handle(request, response);
      },
    );
    this.server.on('clientError', (error, socket) => this.refuse(error, socket as Socket));
  }

  /** @throws when the port is taken */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  /** The port that it listens on; undefined while it does not. */
  get port(): number | undefined {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Takes no connection any more, closes idle ones, and waits for the answers that are under way. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    try {
      await within(CLOSE_TIMEOUT_MS, 'closing connections', closed);
    } catch {
      this.server.closeAllConnections();
      await closed;
    }
  }

  /** What is not HTTP, or not whole in time, never gets to the application. */
  private refuse(error: Error & { code?: string }, socket: Socket): void {
    const answer = this.answering.get(socket);
    if (!socket.writable || answer?.headersSent) {
      socket.destroy();
      return;
    }
    const refusal = new HttpError(refusalOf(error.code));
    this.onRefusal(refusal.code);
    const { status } = refusal;
    const requestId = randomUUID();
    const body = JSON.stringify(errorBody(refusal, requestId));
    const head = [
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-ID: ${requestId}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
}

/** Codes of Node's parser and of its time limits. */
function refusalOf(code: string | undefined): HttpErrorCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'REQUEST_TIMEOUT';
  return code === 'HPE_HEADER_OVERFLOW' ? 'HEADERS_TOO_LARGE' : 'UNREADABLE';
}
