/**
 * How many jobs a tier's Redis has taken in, counted by that Redis itself: in the same step that makes it certain that a
 * job is in the queue, and once a job. So no death of a process can part the count from what it counts.
 *
 * PostgreSQL keeps the largest count that it was told of each run of the server. Told before a message is acknowledged,
 * it knows of every job that anybody relies on; whoever died before is made up for by the next one who tells. A server
 * that was emptied or restarted counts anew: what it has forgotten stays counted, what it went back over is not lost.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** The count of one run of a tier's Redis. */
export interface Book {
  run: string;
  accepted: number;
}

const CURRENT = 'current';
const BOOK = 'book:';

export function booksKey(prefix: string): string {
  return `${prefix}:books`;
}

/** `count` a job, then `enter` all that were new. `fresh` names the book of a run that has none yet. */
export const COUNT = `
  local counted = 0
  local function count(job) counted = counted + redis.call('HSETNX', job, 'counted', 1) end
  local function enter(books, fresh)
    if counted == 0 then return end
    local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
    if redis.call('HGET', books, 'server') ~= server then
      redis.call('HSET', books, 'server', server, '${CURRENT}', fresh)
    end
    redis.call('HINCRBY', books, '${BOOK}' .. redis.call('HGET', books, '${CURRENT}'), counted)
  end`;

const fields = z.record(z.string(), z.string());

/** The books as `HGETALL` has them, as a list of names and values. */
export const bookList = z.array(z.string()).transform((list) => {
  const pairs = list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : []));
  return booksIn(Object.fromEntries(pairs));
});

export async function readBooks(redis: Redis, prefix: string): Promise<Book[]> {
  return booksIn(fields.parse(await redis.hgetall(booksKey(prefix))));
}

/** Throws away books of earlier runs, once PostgreSQL has been told; nothing is entered in them any more. */
export async function closeBooks(redis: Redis, prefix: string, books: Book[]): Promise<void> {
  const current = await redis.hget(booksKey(prefix), CURRENT);
  const closed = books.filter(({ run }) => run !== current);
  if (closed.length > 0) await redis.hdel(booksKey(prefix), ...closed.map(({ run }) => `${BOOK}${run}`));
}

function booksIn(hash: Record<string, string>): Book[] {
  return Object.entries(hash).flatMap(([name, value]) =>
    name.startsWith(BOOK) ? [{ run: name.slice(BOOK.length), accepted: Number(value) }] : [],
  );
}
