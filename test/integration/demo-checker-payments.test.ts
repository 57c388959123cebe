import { check } from '../../tools/demo/checker/main';
import { report } from '../../tools/demo/checker/report';
import {
  charge,
  completed,
  declined,
  outcome,
  plus,
  published,
  received,
  rejected,
  replaced,
  soundBooks,
  without,
  type Case,
} from '../support/demo/books';

/** What is made to disagree, and what must then be named. */
const cases: Case[] = [
  ['a request without an answer', without('misspelt-rejected'), [['confirmed, but not answered', 'misspelt']]],
  ['a duplicate that was never told the result', without('again-last'), [['confirmed, but not answered', 'again']]],
  [
    'a lost payment',
    (books) => ({ outcomes: books.outcomes.filter(({ event }) => event.data.jobId !== 'job-1'), charges: [] }),
    [
      ['confirmed, but not answered', 'paid'],
      ['confirmed, but not answered', 'again'],
      ['confirmed, but not answered', 'conflict'],
    ],
  ],
  [
    'an answer that only asks for patience',
    replaced('declined-failed', outcome('wait', 'attention', { requestId: 'declined', jobId: 'job-2', generation: 1 })),
    [
      ['confirmed, but not answered', 'declined'],
      ['a job without exactly one terminal outcome', 'job-2/1'],
    ],
  ],
  [
    'two ends of one job',
    plus(outcome('other-end', 'cancelled', { requestId: 'paid', jobId: 'job-1', generation: 1 })),
    [
      ['answered in several ways', 'paid'],
      ['a job without exactly one terminal outcome', 'job-1/1'],
    ],
  ],
  [
    'two jobs for one order',
    (books) => ({
      outcomes: [...books.outcomes, received(completed('again', 'job-3', 3))],
      charges: [...books.charges, charge('charge-3', 'job-3')],
    }),
    [
      ['answered in several ways', 'again'],
      ['wrong answer', 'paid'],
      ['an order charged more than once', 'order-1'],
    ],
  ],
  [
    'one job that charged twice',
    (books) => ({ charges: [...books.charges, charge('charge-2', 'job-1')] }),
    [
      ['charged more than once', 'paid'],
      ['an order charged more than once', 'order-1'],
    ],
  ],
  ['a payment that was never charged', () => ({ charges: [] }), [['completed, but not charged', 'paid']]],
  ['a wrong amount', () => ({ charges: [charge('charge-1', 'job-1', 42)] }), [['wrong amount', 'paid']]],
  [
    'a wrong currency',
    () => ({ charges: [{ ...charge('charge-1', 'job-1'), currency: 'eur' }] }),
    [['wrong amount', 'paid']],
  ],
  [
    'an outcome that names another charge',
    () => ({ charges: [charge('charge-9', 'job-1')] }),
    [['the outcome names another charge', 'paid']],
  ],
  [
    'a charge for a card that was declined',
    (books) => ({ charges: [...books.charges, charge('charge-2', 'job-2')] }),
    [['declined, but charged', 'declined']],
  ],
  [
    'a charge that nobody was told of',
    (books) => ({ charges: [...books.charges, charge('charge-7', 'job-7')] }),
    [['charged without a completed outcome', 'charge-7']],
  ],
  [
    'a charge without a job',
    (books) => ({ charges: [...books.charges, { ...charge('charge-8', ''), metadata: {} }] }),
    [['charged without a completed outcome', 'charge-8']],
  ],
  [
    'a conflict that was charged',
    (books) => ({
      outcomes: books.outcomes.map((record) =>
        record.event.data.requestId === 'conflict' ? received(completed('conflict', 'job-4', 4)) : record,
      ),
      charges: [...books.charges, charge('charge-4', 'job-4')],
    }),
    [
      ['wrong answer', 'conflict'],
      ['an order charged more than once', 'order-1'],
    ],
  ],
  [
    'a decline with another code',
    replaced('declined-failed', {
      ...declined('declined', 'job-2'),
      data: { ...declined('declined', 'job-2').data, error: { code: 'TIMEOUT' } },
    }),
    [['wrong answer', 'declined']],
  ],
  [
    'a decline that is called a success',
    replaced('declined-failed', completed('declined', 'job-2', 2)),
    [
      ['wrong answer', 'declined'],
      ['completed, but not charged', 'declined'],
    ],
  ],
  [
    'a duplicate that names another job',
    replaced(
      'again-last',
      outcome('again-last', 'duplicate', { requestId: 'again', jobId: 'job-2', generation: 1, result: {} }),
    ),
    [['wrong answer', 'again']],
  ],
  [
    'a conflict that names another job',
    replaced('conflict-rejected', rejected('conflict', 'IDEMPOTENCY_CONFLICT', 'data', 'job-2')),
    [['wrong answer', 'conflict']],
  ],
  [
    'a rejection for another reason',
    replaced('misspelt-rejected', rejected('misspelt', 'INVALID_REQUEST', 'data.type')),
    [['wrong answer', 'misspelt']],
  ],
  [
    'a rejection that does not list the problem',
    replaced('misspelt-rejected', rejected('misspelt', 'UNKNOWN_TYPE', 'id')),
    [['wrong answer', 'misspelt']],
  ],
  [
    'a rejection that lists nothing',
    replaced(
      'misspelt-rejected',
      outcome('bare', 'rejected', { requestId: 'misspelt', error: { code: 'UNKNOWN_TYPE' } }),
    ),
    [['wrong answer', 'misspelt']],
  ],
  ['an unreadable message in silence', without('null-rejected'), [['one of these was not answered', 'garbage']]],
  [
    'a refusal of what nobody sent',
    plus({ ...rejected(null, 'UNREADABLE', '(body)'), id: 'surplus' }),
    [
      ['a refusal of what nobody sent', 'null-rejected'],
      ['a refusal of what nobody sent', 'surplus'],
    ],
  ],
  [
    'an outcome for a request that nobody made',
    plus(declined('stranger', 'job-5')),
    [['an outcome for a request that nobody made', 'stranger-failed']],
  ],
  [
    'one outcome id with two contents',
    plus({ ...declined('declined', 'job-9'), id: 'declined-failed' }),
    [['one outcome id, several contents', 'declined-failed']],
  ],
  [
    'a confirmed request that vanished',
    (books) => ({ published: [...books.published, published('payment-process', 'lost', { order: 'order-9' })] }),
    [['confirmed, but not answered', 'lost']],
  ],
];

it.each(cases)('the checker of the demo names %s', (_, disturb, expected) => {
  const books = soundBooks();
  const verdict = check({ ...books, ...disturb(books) });
  const found = verdict.disagreements.map(({ what, id }) => [what, id]);
  expect(found).toEqual(expect.arrayContaining(expected));
  for (const [what, id] of expected) expect(report(verdict)).toMatch(new RegExp(`${what}[^]*^ {2}${id} `, 'm'));
});
