import type { ValidateFunction } from 'ajv';

/**
 * An OpenAPI document as JSON Schema: it refers to itself, where a validator knows it as `id`; `nullable` is a word of
 * OpenAPI 3.0.
 */
export function toJsonSchema(node: unknown, id: string): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema(item, id));
  if (typeof node !== 'object' || node === null) return node;
  const schema: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node)) {
    if (name === '$ref' && typeof value === 'string') schema[name] = value.replace('#/', `${id}#/`);
    else if (name !== 'nullable') schema[name] = toJsonSchema(value, id);
  }
  return 'nullable' in node && node.nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}

/** What is wrong with a value; none when it is valid. */
export function complaints(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
