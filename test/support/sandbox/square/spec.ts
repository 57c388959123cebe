/** Checks requests and responses against Square's OpenAPI document (3.0, JSON bodies) with a JSON Schema validator. */
import Ajv from 'ajv';
import { z } from 'zod';
import { complaints, toJsonSchema } from '../openapi';

const body = z.object({
  content: z.object({ 'application/json': z.object({ schema: z.object({ $ref: z.string() }) }) }),
});
const operation = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).optional(),
  requestBody: body.optional(),
  responses: z.object({ 200: body }),
});
const document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

export class SquareSpec {
  readonly #document: z.infer<typeof document>;
  readonly #validator = new Ajv({ strict: false, allErrors: true, validateFormats: false });

  constructor(openApi: unknown) {
    this.#document = document.parse(toJsonSchema(openApi, 'square'));
    this.#validator.addSchema({ $id: 'square', components: this.#document.components });
  }

  /** Complaints about a request; none when it is valid. `path` is the document's own, with its {placeholders}. */
  checkRequest(method: string, path: string, sent: { query: string; body: string }): string[] {
    const { parameters = [], requestBody } = this.#operation(method, path);
    const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
    const unknown = [...new URLSearchParams(sent.query).keys()].filter((name) => !known.includes(name));
    const wrong = requestBody === undefined ? [] : this.#check(requestBody, JSON.parse(sent.body));
    return [...unknown.map((name) => `${name} is no parameter`), ...wrong];
  }

  /** Square describes one answer for all statuses, in which errors have a member. */
  checkResponse(method: string, path: string, answer: unknown): string[] {
    return this.#check(this.#operation(method, path).responses[200], answer);
  }

  #operation(method: string, path: string): z.infer<typeof operation> {
    const found = this.#document.paths[path]?.[method.toLowerCase()];
    if (!found) throw new Error(`The specification has no ${method} ${path}`);
    return operation.parse(found);
  }

  #check({ content }: z.infer<typeof body>, value: unknown): string[] {
    const { $ref } = content['application/json'].schema;
    return complaints(this.#validator.compile({ $ref }), value);
  }
}
