import type { Problem } from './json-problems';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes from outside as JSON, or what is wrong with them, without a word of what they say. */
export function parseJson(content: Buffer): { value: unknown } | { problem: Problem } {
  let text: string;
  try {
    text = UTF8.decode(content);
  } catch {
    return { problem: { path: '(body)', message: 'is not valid UTF-8' } };
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    // V8's message quotes the text, which may be personal.
    return { problem: { path: '(body)', message: 'is not valid JSON' } };
  }
}
