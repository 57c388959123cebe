/**
 * Reads form parameters as strictly as Stripe does: an unknown name, a wrong type, a missing or empty value each has its
 * own error. A reader per type; `fields` puts them together for one hash.
 */
import { invalid } from './errors';

type Reader<Value> = (value: unknown, name: string) => Value;
type Fields = Record<string, Reader<unknown>>;
/** What a hash holds once it is read; every parameter may be absent. */
type Read<Shape extends Fields> = { [Name in keyof Shape]?: ReturnType<Shape[Name]> };

export function fields<Shape extends Fields>(shape: Shape): Reader<Read<Shape>> {
  return (value, name) => {
    if (!isHash(value)) throw invalid('Invalid object', { param: name });
    const read: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(value)) {
      const path = name === '' ? key : `${name}[${key}]`;
      const reader = Object.hasOwn(shape, key) ? shape[key] : undefined;
      if (!reader) {
        throw invalid(`Received unknown parameter: ${path}`, { code: 'parameter_unknown', param: path });
      }
      read[key] = reader(entry, path);
    }
    // Each entry came from the reader of its name; TypeScript cannot follow that through the loop.
    return read as Read<Shape>;
  };
}

export const integer: Reader<number> = (value, name) => {
  const text = unset(value, name);
  if (!/^-?\d{1,15}$/.test(text)) {
    throw invalid(`Invalid integer: ${text}`, { code: 'parameter_invalid_integer', param: name });
  }
  return Number(text);
};

export const boolean: Reader<boolean> = (value, name) => {
  const text = unset(value, name);
  if (text !== 'true' && text !== 'false') throw invalid(`Invalid boolean: ${text}`, { param: name });
  return text === 'true';
};

export const text: Reader<string> = (value, name) => {
  const read = unset(value, name);
  if (read.length > 5000) throw invalid(`Invalid string: ${name} must be at most 5000 characters`, { param: name });
  return read;
};

export function oneOf<const Option extends string>(...options: Option[]): Reader<Option> {
  return (value, name) => {
    const read = unset(value, name);
    const option = options.find((candidate) => candidate === read);
    if (option === undefined) {
      throw invalid(`Invalid ${name}: must be one of ${options.slice(0, -1).join(', ')} or ${options.at(-1)}`, {
        param: name,
      });
    }
    return option;
  };
}

/** Up to 50 keys of 40 characters with values of 500 ("Metadata", docs.stripe.com/api/metadata). */
export const metadata: Reader<Record<string, string>> = (value, name) => {
  if (value === '') return {};
  if (!isHash(value)) throw invalid('Invalid object', { param: name });
  const entries = Object.entries(value);
  if (entries.length > 50) throw invalid('Metadata can have up to 50 keys', { param: name });
  const read: Record<string, string> = {};
  for (const [key, entry] of entries) {
    const path = `${name}[${key}]`;
    if (typeof entry !== 'string') throw invalid('Metadata values must be strings', { param: path });
    if (key.length > 40) throw invalid('Metadata keys can have up to 40 characters', { param: path });
    if (entry.length > 500) {
      const message = `Metadata values can have up to 500 characters, but you passed in a value that is ${entry.length} characters.`;
      throw invalid(message, { param: path });
    }
    // An empty value unsets the key.
    if (entry !== '') read[key] = entry;
  }
  return read;
};

export function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) {
    throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
  }
  return value;
}

function unset(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(`Invalid string: ${JSON.stringify(value)}`, { param: name });
  if (value === '') {
    const message = `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`;
    throw invalid(message, { code: 'parameter_invalid_empty', param: name });
  }
  return value;
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
