import type { Service } from '../../src/service';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, else the text. */
  body: unknown;
}

export interface ApiCall {
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  raw?: string | Buffer;
}

/** Where a service of this process listens. */
export function addressOf(service: Service): string {
  const port = service.http.port();
  if (port === undefined) throw new Error('the service does not listen');
  return `http://127.0.0.1:${port}`;
}

/** Calls a service by HTTP, with paths below the base path. */
export class ApiClient {
  constructor(private readonly address: string) {}

  get(path: string, call: ApiCall = {}): Promise<ApiAnswer> {
    return this.call('GET', path, call);
  }

  post(path: string, call: ApiCall = {}): Promise<ApiAnswer> {
    return this.call('POST', path, call);
  }

  async call(method: string, path: string, { token, headers = {}, json, raw }: ApiCall): Promise<ApiAnswer> {
    const body = json === undefined ? raw : JSON.stringify(json);
    const answer = await fetch(`${this.address}/api/v1/queue${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }
}
