/** What an array of PostgreSQL takes without quotation marks, of ids, names and times; the word NULL aside. */
const PLAIN = /^[\w.:+-]+$/;
const NULL = /^null$/i;
const SPECIAL = /["\\]/g;

/**
 * An array as a parameter, as PostgreSQL reads it. The driver quotes and escapes every element of it, which batches of many
 * columns feel; undefined for what only the driver knows how to write.
 */
export function arrayText(elements: unknown[]): string | undefined {
  let text = '';
  for (const element of elements) {
    const written = elementText(element);
    if (written === undefined) return undefined;
    text += text === '' ? written : `,${written}`;
  }
  return `{${text}}`;
}

function elementText(element: unknown): string | undefined {
  if (typeof element === 'string') return stringText(element);
  if (typeof element === 'number' || typeof element === 'boolean') return String(element);
  return element === null || element === undefined ? 'NULL' : undefined;
}

function stringText(text: string): string {
  return PLAIN.test(text) && !NULL.test(text) ? text : `"${text.replaceAll(SPECIAL, '\\$&')}"`;
}
