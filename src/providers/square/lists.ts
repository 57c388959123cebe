/** Looking for something in one of Square's lists ("Pagination", developer.squareup.com/docs/build-basics/common-api-patterns/pagination). */
import { z } from 'zod';
import type { LookupAnswer } from '../answer';
import { UNREADABLE } from './errors';

/** As many as Square gives at once. */
const LIMIT = 100;
/** Our clock and Square's may differ by so much. */
const CLOCK_MARGIN_MS = 10 * 60 * 1000;

export interface Page {
  /** Oldest first: what is looked for is one of the first since it was asked for. */
  sortOrder: 'ASC';
  limit: number;
  beginTime: string;
  cursor?: string;
}

/**
 * The first answer that `judge` has about an entry; `absent` when it has none about any.
 * @param member where a page has its entries; a page without any leaves it out
 * @param readPage asks Square for a page; ends the search by rejecting
 */
export async function findInList<Entry, Value>(
  { member, entry, askedMsAgo }: { member: string; entry: z.ZodType<Entry>; askedMsAgo: number },
  readPage: (page: Page) => Promise<{ response: unknown }>,
  judge: (entry: Entry) => Exclude<LookupAnswer<Value>, { kind: 'absent' }> | undefined,
): Promise<LookupAnswer<Value>> {
  const list = z.strictObject({ [member]: z.array(entry).optional(), cursor: z.string().optional() });
  const beginTime = new Date(Date.now() - askedMsAgo - CLOCK_MARGIN_MS).toISOString();
  let page: Page = { sortOrder: 'ASC', limit: LIMIT, beginTime };
  for (;;) {
    const { response } = await readPage(page);
    const read = list.safeParse(response);
    if (!read.success) return UNREADABLE;
    const { [member]: entries, cursor } = read.data;
    for (const one of Array.isArray(entries) ? entries : []) {
      const answer = judge(one);
      if (answer) return answer;
    }
    if (typeof cursor !== 'string' || cursor === '') return { kind: 'absent' };
    page = { ...page, cursor };
  }
}
