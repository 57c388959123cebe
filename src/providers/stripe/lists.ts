/** Looking for something in one of Stripe's lists, which are newest first ("Pagination", docs.stripe.com/api/pagination). */
import { z } from 'zod';
import type { LookupAnswer } from '../answer';
import { UNREADABLE } from './errors';

/** As many as Stripe gives at once. */
const PAGE = 100;

export interface Page {
  limit: number;
  starting_after?: string;
}

/**
 * The first answer that `judge` has about an entry; `absent` when it has none about any.
 * @param readPage asks Stripe for a page; ends the search by rejecting
 */
export async function findInList<Entry extends { id: string }, Value>(
  entry: z.ZodType<Entry>,
  readPage: (page: Page) => Promise<unknown>,
  judge: (entry: Entry) => Exclude<LookupAnswer<Value>, { kind: 'absent' }> | undefined,
): Promise<LookupAnswer<Value>> {
  const list = z.object({ object: z.literal('list'), data: z.array(entry), has_more: z.boolean() });
  let page: Page = { limit: PAGE };
  for (;;) {
    const read = list.safeParse(await readPage(page)).data;
    if (!read) return UNREADABLE;
    for (const one of read.data) {
      const answer = judge(one);
      if (answer) return answer;
    }
    const last = read.data.at(-1);
    if (!read.has_more || !last) return { kind: 'absent' };
    page = { limit: PAGE, starting_after: last.id };
  }
}
