import type { JsonSchema } from './schemas';

/** By format, and for strings with a pattern the first that fits. All invented. */
const BY_FORMAT: Record<string, string> = {
  uuid: '01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f',
  email: 'guest@example.com',
  uri: 'https://example.com/hooks',
  'date-time': '2026-01-15T10:00:00Z',
  date: '2026-01-15',
};
const WORDS = ['a-1', 'text', 'USD', '+15550100000', '2026-01', ...Object.values(BY_FORMAT)];

/**
 * An example that a schema allows: what it must have, and what it gives an example or a default for.
 * @throws when it cannot think of one: then the field needs `.meta({ examples: [...] })` where it is declared
 */
export function sample(schema: JsonSchema, place: string): unknown {
  const given = [...(schema.examples ?? []), schema.default, schema.const, ...(schema.enum ?? [])];
  const first = given.find((value) => value !== undefined);
  if (first !== undefined) return first;
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (typeof choice === 'object') return sample(choice, place);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return sampleText(schema, place);
    case 'integer':
    case 'number':
      return sampleNumber(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return typeof schema.items === 'object' && !Array.isArray(schema.items)
        ? [sample(schema.items, `${place}[0]`)]
        : [];
    case 'object':
      return sampleObject(schema, place);
    default:
      return noIdea(place);
  }
}

function sampleObject(schema: JsonSchema, place: string): Record<string, unknown> {
  const required = new Set(schema.required);
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    typeof member === 'object' && (required.has(name) || member.examples || member.default !== undefined)
      ? [[name, sample(member, `${place}.${name}`)]]
      : [],
  );
  return Object.fromEntries(members);
}

function sampleText(schema: JsonSchema, place: string): string {
  const byFormat = schema.format === undefined ? undefined : BY_FORMAT[schema.format];
  if (byFormat !== undefined) return byFormat;
  const pattern = new RegExp(schema.pattern ?? '', 'u');
  const { minLength = 0, maxLength = Infinity } = schema;
  const word = WORDS.find((text) => pattern.test(text) && text.length >= minLength && text.length <= maxLength);
  return word ?? noIdea(place);
}

function sampleNumber({ minimum, exclusiveMinimum, maximum }: JsonSchema): number {
  const least = minimum ?? (typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : 1);
  return Math.min(Math.max(least, 1), maximum ?? Infinity);
}

function noIdea(place: string): never {
  throw new Error(`no example comes to mind for ${place}: give it one by .meta({ examples: [...] })`);
}
