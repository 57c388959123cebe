import { check } from '../../tools/demo/checker/main';
import { report } from '../../tools/demo/checker/report';
import {
  AMOUNT,
  completed,
  counted,
  mail,
  mailed,
  outcome,
  plus,
  published,
  received,
  RECORD_JOB,
  replaced,
  soundBooks,
  VENUE,
  without,
  type Case,
} from '../support/demo/books';

/** What is made to disagree, and what must then be named. */
const cases: Case[] = [
  [
    'a paid order that nobody was told of',
    (books) => ({ published: books.published.filter(({ kind }) => kind !== 'order.paid') }),
    [['paid, but nobody was told', 'order-1']],
  ],
  [
    'an order that was told as paid and was declined',
    (books) => ({
      published: [...books.published, published('order.paid', 'lie', { order: 'order-2' })],
    }),
    [['told as paid, but not paid', 'lie']],
  ],
  ['a receipt that has no end', without('receipt-1-mailed'), [['confirmed, but not answered', 'told']]],
  ['a sale whose record has no end', without(`${RECORD_JOB}-recorded`), [['confirmed, but not answered', 'told']]],
  [
    'a receipt that failed',
    replaced('receipt-1-mailed', {
      ...outcome('failed', 'failed', { type: 'send-email', requestId: 'told', jobId: 'receipt-1', generation: 1 }),
    }),
    [['wrong answer', 'told']],
  ],
  ['two receipts for one order', plus(mailed('told', 'receipt-2', 'mail-2')), [['wrong answer', 'told']]],
  ['a third job of a sale', plus(completed('told', 'job-8')), [['wrong answer', 'told']]],
  ['a receipt that was never mailed', () => ({ mails: [] }), [['a receipt without a mail', 'told']]],
  [
    'a receipt that went to somebody else',
    () => ({ mails: [mail('mail-1', 'receipt-1', { to: 'mallory@example.com' })] }),
    [['a wrong mail', 'told']],
  ],
  [
    'a receipt about another order',
    () => ({ mails: [mail('mail-1', 'receipt-1', { text: 'Your order order-7' })] }),
    [['a wrong mail', 'told']],
  ],
  [
    'an outcome that names another mail',
    () => ({ mails: [mail('mail-9', 'receipt-1')] }),
    [['the outcome names another mail', 'told']],
  ],
  [
    'a mail that no paid order asked for',
    (books) => ({ mails: [...books.mails, mail('mail-2', 'receipt-2')] }),
    [['a mail for what was not paid', 'mail-2']],
  ],
  [
    'a receipt for an order that was declined',
    (books) => ({
      published: [...books.published, published('order.paid', 'lie', { order: 'order-2' })],
      outcomes: [...books.outcomes, received(mailed('lie', 'receipt-2', 'mail-2'))],
      mails: [...books.mails, mail('mail-2', 'receipt-2')],
    }),
    [['a mail for what was not paid', 'mail-2']],
  ],
  [
    'a sale that was never recorded',
    (books) => ({ analytics: { ...books.analytics, recorded: [] } }),
    [['completed, but not recorded', 'told']],
  ],
  [
    'a sale that was recorded with another amount',
    (books) => ({
      analytics: { ...books.analytics, recorded: [{ id: RECORD_JOB, venueId: VENUE, amount: 42 }] },
    }),
    [['a wrong record of a sale', 'told']],
  ],
  [
    'a sale that was recorded at another venue',
    (books) => ({
      analytics: { ...books.analytics, recorded: [{ id: RECORD_JOB, venueId: null, amount: AMOUNT }] },
    }),
    [['a wrong record of a sale', 'told']],
  ],
  [
    'a record of a sale that nobody told of',
    ({ analytics }) => ({
      analytics: { ...analytics, recorded: [...analytics.recorded, { id: 'stray', venueId: VENUE, amount: AMOUNT }] },
    }),
    [['a record of a sale that nobody told of', 'stray']],
  ],
  ...['minute', 'day'].map((wrong): Case => [
    `a sale that was counted twice by ${wrong}`,
    ({ analytics }) => ({
      analytics: {
        ...analytics,
        counted: ['minute', 'day'].map((granularity) => counted(granularity, granularity === wrong ? 2 : 1)),
      },
    }),
    [['sales counted wrongly', VENUE]],
  ]),
  [
    'a sale that was not counted',
    ({ analytics }) => ({ analytics: { ...analytics, counted: [] } }),
    [['sales counted wrongly', VENUE]],
  ],
  [
    'sales of a venue that sold nothing',
    ({ analytics }) => ({
      analytics: { ...analytics, counted: [...analytics.counted, counted('day', 1, 'elsewhere')] },
    }),
    [['sales counted wrongly', 'elsewhere']],
  ],
];

it.each(cases)('the checker of the demo names %s', (_, disturb, expected) => {
  const books = soundBooks();
  const verdict = check({ ...books, ...disturb(books) });
  const found = verdict.disagreements.map(({ what, id }) => [what, id]);
  expect(found).toEqual(expect.arrayContaining(expected));
  for (const [what, id] of expected) expect(report(verdict)).toMatch(new RegExp(`${what}[^]*^ {2}${id} `, 'm'));
});

describe('the checker of the demo', () => {
  it('finds nothing where the books agree', () => {
    const verdict = check(soundBooks());
    expect(verdict.disagreements).toEqual([]);
    expect(report(verdict)).toMatch(/^all +8 +7 +8 +1 +1 +1$/m);
    expect(report(verdict)).toContain('jobs of the lower tiers: 2, of which 2 completed and 0 were lost or failed');
    expect(report(verdict)).toContain('agree.');
  });

  it('shows an outcome that was delivered again, and counts it once', () => {
    const books = soundBooks();
    const verdict = check({ ...books, outcomes: [...books.outcomes, ...books.outcomes] });
    expect(verdict.disagreements).toEqual([]);
    expect(report(verdict)).toContain('9 different ones, 9 of them delivered again');
  });

  it('shows a receipt that was mailed again, which is no disagreement', () => {
    const books = soundBooks();
    const verdict = check({ ...books, mails: [...books.mails, mail('mail-0', 'receipt-1')] });
    expect(verdict.disagreements).toEqual([]);
    expect(report(verdict)).toMatch(/^order\.paid +completed +1 +1 +1 +0 +2 +1$/m);
    expect(report(verdict)).toContain('mails at the mail provider: 2, of which 1 were sent again');
  });

  it('shows a job of a lower tier that was lost', () => {
    const verdict = check({ ...soundBooks(), ...without('receipt-1-mailed')(soundBooks()) });
    expect(report(verdict)).toContain('jobs of the lower tiers: 2, of which 1 completed and 1 were lost or failed');
  });

  it('takes an order.paid that was written down twice for one', () => {
    const books = soundBooks();
    const told = books.published.filter(({ kind }) => kind === 'order.paid');
    expect(check({ ...books, published: [...books.published, ...told] }).disagreements).toEqual([]);
  });
});
