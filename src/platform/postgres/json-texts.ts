/** No JSON text has it as it is: there, control characters are escaped. */
const SEPARATOR = '\u001f';

/**
 * JSON texts, or nulls, as one parameter. In an array every quotation mark of theirs would have to be escaped, and found to
 * be escaped by the server.
 */
export function jsonTexts(texts: (string | null)[]): string {
  return texts.map((text) => text ?? '').join(SEPARATOR);
}

/** The array of texts that a parameter was made of by `jsonTexts`, for `unnest`; nulls at its end may be missing. */
export function arrayOfJsonTexts(parameter: string): string {
  return `string_to_array(${parameter}, E'\\x1f', '')`;
}
