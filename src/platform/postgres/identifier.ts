/**
 * A table name that may be written into a statement as it is: lower case, no quotes, no schema (the connection's
 * search_path decides), and short enough for the names that are derived from it, since PostgreSQL cuts at 63 bytes.
 */
export const TABLE_NAME = /^[a-z_][a-z0-9_]{0,39}$/;

/** @throws RangeError for what is no `TABLE_NAME` */
export function identifier(name: string): string {
  if (TABLE_NAME.test(name)) return name;
  throw new RangeError('a table name has lower-case letters, digits and _, at most 40');
}
