/**
 * The part of Stripe's search language that finds PaymentIntents by metadata and status
 * ("Search query language", docs.stripe.com/search): exact matches, joined by AND. Matching ignores case.
 */
import { invalid } from './errors';
import { renderIntent, renderSearch, type IntentState } from './objects';
import { fields, integer, required, text } from './parameters';

const readSearch = fields({ query: text, limit: integer, page: text });

const STRING = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`;
const CLAUSE = new RegExp(
  String.raw`^\s*(?:metadata\[(?<key>${STRING})\]|(?<field>status))\s*:\s*(?<value>${STRING})\s*`,
);

type Clause = (state: IntentState) => boolean;

export function search(parameters: unknown, states: Iterable<IntentState>): object {
  const read = readSearch(parameters, '');
  const clauses = parseQuery(required(read.query, 'query'));
  const limit = read.limit ?? 10;
  if (limit < 1 || limit > 100) throw invalid('Invalid limit: must be between 1 and 100', { param: 'limit' });
  const from = read.page === undefined ? 0 : Number(read.page);
  if (!Number.isSafeInteger(from) || from < 0) throw invalid('Invalid page', { param: 'page' });

  const hits = [...states].filter((state) => clauses.every((clause) => clause(state)));
  const data = hits.slice(from, from + limit).map(renderIntent);
  return renderSearch({ data, nextPage: from + limit < hits.length ? String(from + limit) : null });
}

function parseQuery(query: string): Clause[] {
  const clauses: Clause[] = [];
  let rest = query;
  for (;;) {
    const groups = CLAUSE.exec(rest)?.groups;
    if (!groups) throw unreadable();
    clauses.push(clauseOf(groups['key'], unquote(groups['value'] ?? '')));
    rest = rest.replace(CLAUSE, '');
    if (rest === '') return clauses;
    if (!/^AND\s/i.test(rest)) throw unreadable();
    rest = rest.slice('AND'.length);
  }
}

function clauseOf(quotedKey: string | undefined, value: string): Clause {
  const wanted = value.toLowerCase();
  if (quotedKey === undefined) return (state) => state.status === wanted;
  const key = unquote(quotedKey);
  return (state) => state.metadata[key]?.toLowerCase() === wanted;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

function unreadable() {
  return invalid(
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.',
    { param: 'query' },
  );
}
