/** Checks requests and responses against Stripe's OpenAPI document (3.0, form bodies) with a JSON Schema validator. */
import Ajv, { type ValidateFunction } from 'ajv';
import qs from 'qs';
import { z } from 'zod';

const media = z.object({ schema: z.unknown() });
const operation = z.object({
  requestBody: z.object({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), media) })),
});
const document = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

const FORM = 'application/x-www-form-urlencoded';
const JSON_BODY = 'application/json';

export class StripeSpec {
  readonly #document: z.infer<typeof document>;
  /** Form values are all text, so types are coerced as Stripe coerces them. */
  readonly #requests: Ajv;
  readonly #responses: Ajv;
  readonly #compiled = new Map<unknown, ValidateFunction>();

  constructor(openApi: unknown) {
    this.#document = document.parse(toJsonSchema(openApi));
    this.#requests = this.#validator('array');
    this.#responses = this.#validator(false);
  }

  /** Complaints about a request; none when it is valid. `path` is the document's own, with its {placeholders}. */
  checkRequest(method: 'get' | 'post', path: string, form: string): string[] {
    const schema = this.#operation(method, path).requestBody?.content[FORM]?.schema;
    return this.#check(this.#requests, schema, qs.parse(form, { depth: 10 }));
  }

  checkResponse(method: 'get' | 'post', path: string, status: number, body: unknown): string[] {
    const { responses } = this.#operation(method, path);
    const schema = (responses[String(status)] ?? responses['default'])?.content[JSON_BODY]?.schema;
    return this.#check(this.#responses, schema, body);
  }

  checkObject(name: string, value: unknown): string[] {
    return this.#check(this.#responses, this.#document.components.schemas[name], value);
  }

  #operation(method: string, path: string): z.infer<typeof operation> {
    const found = this.#document.paths[path]?.[method];
    if (!found) throw new Error(`The specification has no ${method} ${path}`);
    return found;
  }

  #check(validator: Ajv, schema: unknown, value: unknown): string[] {
    if (typeof schema !== 'object' || schema === null) throw new Error('The specification has no such schema');
    const validate = this.#compiled.get(schema) ?? validator.compile(schema);
    this.#compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }

  #validator(coerceTypes: 'array' | false): Ajv {
    const validator = new Ajv({ strict: false, allErrors: true, coerceTypes, validateFormats: false });
    return validator.addSchema({ $id: 'stripe', components: this.#document.components });
  }
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type null, and refers to itself where Ajv knows it as `stripe`. */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const schema: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node)) {
    if (name === '$ref' && typeof value === 'string') schema[name] = value.replace('#/', 'stripe#/');
    else if (name !== 'nullable') schema[name] = toJsonSchema(value);
  }
  return 'nullable' in node && node.nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}
