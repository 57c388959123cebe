import { mayBeMore, type OutboxRow } from '../../../src/outbox/rows';
import { message } from '../../support/relayed';

const row = (body: string): OutboxRow => ({ ...message({ body }), seq: '1', attempts: 0, createdAtMs: 0 });
const rows = (count: number, body = '{}'): OutboxRow[] => Array.from({ length: count }, () => row(body));

it('a read tells of others that were there as well when it is as long as it may be, or large', () => {
  expect([mayBeMore(rows(9), 10), mayBeMore(rows(10), 10)]).toEqual([false, true]);
  // Of wide characters, three of a million each are more than is read at once.
  expect(mayBeMore(rows(3, 'x'.repeat(1_000_000)), 10)).toBe(true);
});
