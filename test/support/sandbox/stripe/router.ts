/** Which operation a request asks for, and on whose behalf. */
import type { ConnectedAccount } from './accounts';

export type Operation = (parameters: unknown, account: ConnectedAccount) => object;

/** `id` is the part of the path that `:id` stands for in the route. */
type Handler = (parameters: unknown, id: string, account: ConnectedAccount) => object;

export class Router {
  readonly #routes: { method: string; pattern: RegExp; handler: Handler }[] = [];

  /** The first route that fits is taken. `:id` stands for one part of the path. */
  on(method: 'GET' | 'POST', path: string, handler: Handler): this {
    this.#routes.push({ method, pattern: new RegExp(`^${path.replace(':id', '([^/]+)')}$`), handler });
    return this;
  }

  find(request: { method: string; path: string }): Operation | undefined {
    for (const { method, pattern, handler } of this.#routes) {
      const match = method === request.method ? pattern.exec(request.path) : null;
      if (match) return (parameters, account) => handler(parameters, match[1] ?? '', account);
    }
    return undefined;
  }
}
