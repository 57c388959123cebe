import type { Service, ServiceOverrides } from '../../../src/service';
import { UnavailableError } from '../../../src/platform/unavailable';
import { around } from '../../support/around';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';

interface JobRow {
  id: string;
  status: string;
  reason: string | null;
}

describe('an effect', () => {
  let harness: Harness;
  let service: Service | undefined;

  beforeAll(async () => {
    harness = await openHarness();
  });
  afterEach(async () => {
    harness.stripe.clearFaults();
    harness.stripe.resumeIndexing();
    await service?.stop();
  });
  afterAll(() => harness?.close());

  const start = async (overrides: ServiceOverrides = {}): Promise<Service> => {
    service = await harness.startService(overrides);
    return service;
  };
  const pay = (over: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Promise<string> =>
    harness.bus.request({ type: 'payment-process', data: payment(over), options });
  const jobOf = async (requestId: string): Promise<JobRow | undefined> => {
    const found = await harness.environment.pool.query<JobRow>(
      'SELECT id, status, reason FROM critical_jobs WHERE request_id = $1',
      [requestId],
    );
    return found.rows[0];
  };
  const chargesOf = (jobId: string | null | undefined): number =>
    harness.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === jobId).length;

  it('is in the ledger before its provider is called', async () => {
    const begun: number[] = [];
    await start({
      decorate: around({
        'call provider': async (run) => {
          const { rows } = await harness.environment.pool.query<{ n: number }>(
            `SELECT count(*)::int AS n FROM job_effects WHERE state = 'started'`,
          );
          begun.push(rows[0]?.n ?? 0);
          return run();
        },
      }),
    });
    await harness.bus.outcomeOf(await pay(), 'completed');
    expect(begun).toEqual([1]);
  });

  it('is asked for with the same key until its answer is known', async () => {
    await start();
    const lost = harness.stripe.fault({ kind: 'lose-answer' });
    const outcome = await harness.bus.outcomeOf(await pay(), 'completed');
    expect(lost.hits()).toBe(1);
    expect(chargesOf(outcome.data.jobId)).toBe(1);
  });

  it('is not taken to be absent because a later call was refused', async () => {
    await start();
    const lost = harness.stripe.fault({ kind: 'lose-answer' });
    const refused = harness.stripe.fault({ kind: 'rate-limit', retryAfterSeconds: 0 });
    const outcome = await harness.bus.outcomeOf(await pay(), 'completed');
    expect([lost.hits(), refused.hits()]).toEqual([1, 1]);
    expect(chargesOf(outcome.data.jobId)).toBe(1);
  });

  it('is not taken to be absent while a search cannot know it yet', async () => {
    await start();
    harness.stripe.pauseIndexing();
    harness.stripe.fault({ kind: 'fail-after-effect' });
    const id = await pay();
    const job = await eventually('the search is waited for, or the job ends', async () => {
      const found = await jobOf(id);
      return found && (found.reason === 'AWAITING_SEARCH' || found.status === 'completed') ? found : undefined;
    });
    expect(job).toMatchObject({ status: 'pending', reason: 'AWAITING_SEARCH' });
    expect(chargesOf(job.id)).toBe(1);
  });

  it('keeps its job from failing while it may have happened', async () => {
    await start();
    harness.stripe.fault({ kind: 'lose-answer' });
    const outcome = await harness.bus.outcomeOf(await pay({}, { attempts: 1 }));
    expect(outcome.data).toMatchObject({ outcome: 'attention', finishedAt: null });
    expect((await jobOf(outcome.data.requestId ?? ''))?.status).toBe('in_doubt');
  });

  it('of a failed job is tried by its next generation when that is replayed', async () => {
    const running = await start();
    const id = await pay({ paymentMethod: 'pm_card_chargeDeclined' });
    const { data } = await harness.bus.outcomeOf(id, 'failed');
    expect(await running.replayJob(data.jobId ?? '', 'TEST')).toEqual({ kind: 'replayed', generation: 2 });
    const generations = await eventually('both generations end', () => {
      const failed = harness.bus.outcomesOf(id, 'failed').map((outcome) => outcome.data.generation);
      return failed.length === 2 ? failed : undefined;
    });
    expect(generations).toEqual([1, 2]);
  });

  it('and its outcome are settled together or not at all', async () => {
    let broken = false;
    await start({
      decorate: around({
        'append outcome': async (run) => {
          const answer = await run();
          if (!broken) {
            broken = true;
            throw new UnavailableError('the connection broke before the commit');
          }
          return answer;
        },
      }),
    });
    const { id } = await harness.bus.outcomeOf(await pay(), 'completed');
    const { rows } = await harness.environment.pool.query('SELECT id FROM outbox_events WHERE id = $1', [id]);
    expect(broken).toBe(true);
    expect(rows).toHaveLength(1);
  });
});
