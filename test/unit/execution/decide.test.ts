import { decide, type AttemptEnd, type EffectSummary } from '../../../src/execution/decide';
import { startedJob } from '../../support/started-job';

const NOW = new Date('2026-01-15T10:00:00Z');
const startedAgo = (ms: number) => new Date(NOW.getTime() - ms);

const ENDS: Record<AttemptEnd['kind'], AttemptEnd> = {
  done: { kind: 'done', result: { ok: true } },
  retry: { kind: 'retry', code: 'SERVER_ERROR', message: 'no clear answer' },
  snooze: { kind: 'snooze', code: 'AWAITING_SEARCH', afterMs: 5_000 },
  wait: { kind: 'wait', code: 'BALANCE_INSUFFICIENT', message: 'no balance', afterMs: 5_000, withinMs: 60_000 },
  failed: { kind: 'failed', code: 'card_declined', message: 'declined', replayable: true },
  inDoubt: { kind: 'inDoubt', code: 'LEDGER_UNREADABLE', message: 'cannot be read' },
  attention: { kind: 'attention', code: 'requires_action', message: 'm', reference: 'pi_1', againMs: 5_000 },
  cancelled: { kind: 'cancelled' },
  timedOut: { kind: 'timedOut' },
  handedBack: { kind: 'handedBack' },
  notBegun: { kind: 'notBegun', asSuspect: true },
  crashed: { kind: 'crashed' },
  expired: { kind: 'expired' },
  poisonous: { kind: 'poisonous' },
  notStorable: { kind: 'notStorable' },
};

const EFFECTS = {
  none: { anyUncertain: false, anyHappened: false, anyMissing: false },
  uncertain: { anyUncertain: true, anyHappened: false, anyMissing: false },
  happened: { anyUncertain: false, anyHappened: true, anyMissing: false },
  both: { anyUncertain: true, anyHappened: true, anyMissing: false },
  half: { anyUncertain: false, anyHappened: true, anyMissing: true },
  all: { anyUncertain: true, anyHappened: true, anyMissing: true },
} satisfies Record<string, EffectSummary>;

type Status = ReturnType<typeof decide>['settlement']['status'];

/** What becomes of a job with attempts left, by the ledger's word: none, uncertain, happened, both, half, all. */
const WITH_ATTEMPTS_LEFT: Record<AttemptEnd['kind'], [Status, Status, Status, Status, Status, Status]> = {
  done: ['completed', 'completed', 'completed', 'completed', 'completed', 'completed'],
  retry: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  snooze: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  wait: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  failed: ['failed', 'in_doubt', 'failed', 'in_doubt', 'failed', 'in_doubt'],
  inDoubt: ['in_doubt', 'in_doubt', 'in_doubt', 'in_doubt', 'in_doubt', 'in_doubt'],
  attention: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  cancelled: ['cancelled', 'pending', 'pending', 'pending', 'pending', 'pending'],
  timedOut: ['failed', 'in_doubt', 'pending', 'in_doubt', 'pending', 'in_doubt'],
  handedBack: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  notBegun: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  crashed: ['pending', 'pending', 'pending', 'pending', 'pending', 'pending'],
  expired: ['failed', 'in_doubt', 'failed', 'in_doubt', 'failed', 'in_doubt'],
  poisonous: ['failed', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
  notStorable: ['failed', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
};

/** And of a job in its last attempt; where nothing is said, the same. */
const IN_THE_LAST_ATTEMPT: typeof WITH_ATTEMPTS_LEFT = {
  ...WITH_ATTEMPTS_LEFT,
  retry: ['failed', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
  crashed: ['failed', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
  cancelled: ['cancelled', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
  timedOut: ['failed', 'in_doubt', 'in_doubt', 'in_doubt', 'failed', 'in_doubt'],
};

const SUMMARIES = Object.entries(EFFECTS);
const CASES = Object.values(ENDS).flatMap((end) =>
  SUMMARIES.flatMap(([ledger, effects], index) =>
    [0, 2].map((attempts) => {
      const table = attempts === 2 ? IN_THE_LAST_ATTEMPT : WITH_ATTEMPTS_LEFT;
      return { end, kind: end.kind, ledger, effects, attempts, status: table[end.kind][index] };
    }),
  ),
);

describe('what becomes of a job', () => {
  it.each(CASES)('$kind, effects $ledger, $attempts attempts spent: $status', ({ end, effects, attempts, status }) => {
    const job = startedJob({ attempts, sequence: 4, startedAt: NOW });

    const { settlement, outcome } = decide(job, end, effects, NOW);

    expect(settlement.status).toBe(status);
    expect(settlement).toMatchObject({ jobId: job.jobId, token: job.token });
    // A terminal status has its time and its outcome of the same name; a wait has neither; doubt asks for attention.
    const terminal = status !== 'pending' && status !== 'in_doubt';
    expect(settlement.finishedAt).toEqual(terminal ? NOW : undefined);
    const asksForAttention = status === 'in_doubt' || end.kind === 'attention';
    expect(outcome).toBe(terminal ? status : asksForAttention ? 'attention' : undefined);
    expect(settlement.sequence).toBe(outcome === undefined ? 4 : 5);
    // The key is let go only when the job ended and certainly nothing happened.
    const nothing = !effects.anyUncertain && !effects.anyHappened;
    expect(settlement.releaseKey).toBe((status === 'failed' || status === 'cancelled') && nothing);
    expect(settlement.error === null).toBe(
      ['completed', 'pending', 'cancelled'].includes(settlement.status) && !asksForAttention,
    );
  });

  it('names every way in which an attempt can end', () => {
    expect(CASES).toHaveLength(15 * 6 * 2);
  });
});

describe.each(['communication', 'background'] as const)('where no money is at stake (%s)', (tier) => {
  it.each(CASES.filter(({ status }) => status === 'in_doubt'))(
    'what would leave money in doubt fails: $kind, effects $ledger, $attempts attempts spent',
    ({ end, effects, attempts }) => {
      const { settlement, outcome } = decide(startedJob({ tier, attempts }), end, effects, NOW);

      expect(settlement).toMatchObject({ status: 'failed', finishedAt: NOW });
      expect(outcome).toBe('failed');
      // Asking again under the key must not make it happen twice.
      expect(settlement.releaseKey).toBe(!effects.anyUncertain && !effects.anyHappened);
    },
  );

  it.each(CASES.filter(({ status }) => status !== 'in_doubt'))(
    'all else is as with money: $kind, effects $ledger, $attempts attempts spent',
    ({ end, effects, attempts, status }) => {
      expect(decide(startedJob({ tier, attempts, startedAt: NOW }), end, effects, NOW).settlement.status).toBe(status);
    },
  );

  it('says truly whether a replay can help', () => {
    const givenUp = { kind: 'failed', code: 'UNKNOWN_DELIVERY', message: 'm', replayable: false } as const;
    const replayable = (end: AttemptEnd) =>
      decide(startedJob({ tier, attempts: 2 }), end, EFFECTS.uncertain, NOW).settlement.error?.replayable;
    expect(replayable(ENDS.retry)).toBe(true);
    expect(replayable(givenUp)).toBe(false);
  });
});

describe('a wait', () => {
  it.each([
    ['retry', { kind: 'retry', code: 'rate_limit', message: 'later', afterMs: 31_536_000_000 }],
    ['snooze', { kind: 'snooze', code: 'AWAITING_SEARCH', afterMs: Number.MAX_VALUE }],
  ] as const)('of a %s is never longer than an hour, whatever the provider says', (_, end) => {
    const { settlement } = decide(startedJob({ attempts: 0 }), end, EFFECTS.none, NOW);
    expect(settlement.retryInMs).toBe(60 * 60 * 1_000);
  });

  it('for what passes by itself goes on, whatever attempts are left, until its time is over', () => {
    const at = (ms: number, effects: EffectSummary) =>
      decide(startedJob({ attempts: 2, startedAt: startedAgo(ms) }), ENDS.wait, effects, NOW).settlement;

    expect(at(59_999, EFFECTS.half)).toMatchObject({ status: 'pending', attempts: 2, retryInMs: 5_000 });
    const error = { code: 'BALANCE_INSUFFICIENT', message: 'no balance', replayable: true };
    expect(at(60_000, EFFECTS.none)).toMatchObject({ status: 'failed', error, releaseKey: true });
    expect(at(60_000, EFFECTS.half)).toMatchObject({ status: 'failed', error, releaseKey: false });
    expect(at(60_000, EFFECTS.all)).toMatchObject({ status: 'in_doubt' });
  });
});

describe('attempts', () => {
  it.each([
    ['done', 2],
    ['retry', 2],
    ['crashed', 2],
    ['failed', 2],
    ['timedOut', 2],
    ['inDoubt', 2],
    ['attention', 2],
    ['snooze', 1],
    ['wait', 1],
    ['handedBack', 1],
    ['notBegun', 1],
    ['expired', 1],
    ['poisonous', 1],
    ['cancelled', 1],
  ] as const)('%s leaves %i spent after 1', (kind, attempts) => {
    const { settlement } = decide(startedJob({ attempts: 1, startedAt: NOW }), ENDS[kind], EFFECTS.none, NOW);
    expect(settlement.attempts).toBe(attempts);
  });

  it('takes back the start of what did not begin, and finishes every other one', () => {
    const takenBack = (end: AttemptEnd) => decide(startedJob(), end, EFFECTS.none, NOW).settlement.takenBack;
    expect(takenBack({ kind: 'notBegun', asSuspect: true })).toEqual({ suspectStarts: 1 });
    expect(takenBack({ kind: 'notBegun', asSuspect: false })).toEqual({ suspectStarts: 0 });
    const others = Object.values(ENDS).filter(({ kind }) => kind !== 'notBegun');
    expect(others.map(takenBack)).toEqual(others.map(() => undefined));
  });

  it('ends with the code of the last error when they are spent', () => {
    const { settlement } = decide(startedJob({ attempts: 2 }), ENDS.retry, EFFECTS.none, NOW);
    expect(settlement.error).toEqual({
      code: 'SERVER_ERROR',
      message: 'no clear answer (after 3 attempts)',
      replayable: true,
    });
  });

  it('in doubt cannot be replayed', () => {
    const { settlement } = decide(startedJob({ attempts: 2 }), ENDS.retry, EFFECTS.uncertain, NOW);
    expect(settlement.error).toMatchObject({ code: 'SERVER_ERROR', replayable: false });
  });
});

describe('the wait before the next attempt', () => {
  it.each([
    [0, 1_000, 2_000],
    [1, 2_000, 4_000],
    [4, 16_000, 32_000],
  ])('after %i attempts lies between %i and %i ms', (attempts, least, most) => {
    const job = startedJob({ attempts, maxAttempts: 10 });
    const { settlement } = decide(job, ENDS.retry, EFFECTS.none, NOW);
    expect(settlement.retryInMs).toBeGreaterThanOrEqual(least);
    expect(settlement.retryInMs).toBeLessThanOrEqual(most);
  });

  it("is the provider's own when that is longer", () => {
    const end: AttemptEnd = { kind: 'retry', code: 'RATE_LIMITED', message: 'slow down', afterMs: 90_000 };
    expect(decide(startedJob(), end, EFFECTS.none, NOW).settlement.retryInMs).toBe(90_000);
  });

  it.each([
    [1, 30_000, 60_000],
    [11, 30_720_000, 61_440_000],
  ])('a type has its own rule: after attempt %i of a callback, between %i and %i ms', (attempt, least, most) => {
    const job = startedJob({ tier: 'communication', type: 'webhook-deliver', attempts: attempt - 1, maxAttempts: 12 });
    const { settlement } = decide(job, ENDS.retry, EFFECTS.none, NOW);
    expect(settlement).toMatchObject({ status: 'pending', attempts: attempt });
    expect(settlement.retryInMs).toBeGreaterThanOrEqual(least);
    expect(settlement.retryInMs).toBeLessThanOrEqual(most);
  });

  it('is exactly what a snooze asks for, and none after a hand-back', () => {
    expect(decide(startedJob(), ENDS.snooze, EFFECTS.none, NOW).settlement.retryInMs).toBe(5_000);
    expect(decide(startedJob(), ENDS.handedBack, EFFECTS.none, NOW).settlement.retryInMs).toBe(0);
  });
});
