/** Stripe's lists: newest first, page by page ("Pagination", docs.stripe.com/api/pagination). */
import type Stripe from 'stripe';
import { invalid, noSuch } from './errors';

export interface Page {
  limit: number;
  after: string | undefined;
}

export function readPage(read: { limit?: number; starting_after?: string }): Page {
  const limit = read.limit ?? 10;
  if (limit < 1 || limit > 100) throw invalid('Invalid limit: must be between 1 and 100', { param: 'limit' });
  return { limit, after: read.starting_after };
}

/** @param entries newest first */
export function listPage<Entry extends { id: string; object: string }>(entries: Entry[], page: Page, url: string) {
  const last = entries.findIndex(({ id }) => id === page.after);
  if (page.after !== undefined && last < 0) throw noSuch('object', page.after, 'starting_after', 400);
  const from = last + 1;
  const data = entries.slice(from, from + page.limit);
  return { object: 'list', data, has_more: from + page.limit < entries.length, url } satisfies Stripe.ApiList<Entry>;
}
