/** Which operation a request asks for. */
export type Operation = (parameters: unknown) => object;

/** The parts of a path that stand for a `:name` in the route, in order. */
type Handler = (parameters: unknown, id: string) => object;

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
      if (match) return (parameters) => handler(parameters, match[1] ?? '');
    }
    return undefined;
  }
}
