/**
 * Something that is needed does not answer, or cannot do its work just now; nothing is wrong with what was asked. Thrown
 * where a dependency is called: further up, nobody could tell its failure from a fault in this program.
 */
export class UnavailableError extends Error {
  override name = 'UnavailableError';
}
