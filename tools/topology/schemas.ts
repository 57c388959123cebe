import { z } from 'zod';
import { jobTypes } from '../../src/catalogue';
import { DOMAIN_EVENTS } from '../../src/contract/domain-events';
import { cloudEvent } from '../../src/contract/envelope';
import { jobOptions, jobRequest } from '../../src/contract/job-request';
import { outcomeData, outcomeError } from '../../src/contract/outcome';
import { PUBLISHED_EVENTS } from '../../src/contract/published-events';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

const ADDRESS = '#/components/schemas/';

export function reference(name: string): JsonSchema {
  return { $ref: `${ADDRESS}${name}` };
}

/** A schema with some members narrowed to what they are in one kind of message. */
export function narrowed(name: string, properties: Record<string, JsonSchema>): JsonSchema {
  return { allOf: [reference(name), { type: 'object', properties }] };
}

/** Everything that travels, as JSON Schema by name, made of the very schemas that judge it at run time. */
export function jsonSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  const add = (id: string, schema: z.ZodType): void => void registry.add(schema, { id });
  add('cloud-event', cloudEvent);
  add('job-request', jobRequest);
  add('job-options', jobOptions);
  add('outcome', outcomeData);
  add('outcome-error', outcomeError);
  for (const [name, data] of Object.entries({ ...DOMAIN_EVENTS, ...PUBLISHED_EVENTS })) add(`event.${name}`, data);
  // Subscribers find results and events that may grow.
  const open = new Set<z.core.$ZodType>(Object.values(PUBLISHED_EVENTS));
  for (const type of jobTypes) {
    // Types may share a schema object, and one object can have one name.
    add(`payload.${type.name}`, type.payload.clone());
    const result = type.result.clone();
    open.add(result);
    add(`result.${type.name}`, result);
  }
  const { schemas } = z.toJSONSchema(registry, {
    target: 'draft-07',
    // What publishers write: members with a default may be left out.
    io: 'input',
    uri: (id) => `${ADDRESS}${id}`,
    override: ({ zodSchema, jsonSchema }) => {
      tidy(jsonSchema);
      if (open.has(zodSchema)) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutAddress(schema)]));
}

function withoutAddress({ $schema: _dialect, $id: _address, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** Takes out what says nothing to a reader: the bounds of every integer, and patterns that a format stands for. */
function tidy(schema: JsonSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format !== undefined) delete schema.pattern;
}
