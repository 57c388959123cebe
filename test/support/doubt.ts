import type { Decision } from '../../src/recovery/doubt-verdict';
import { payment, type Harness } from './harness';
import type { MoneyRows } from './money';

/** A payment in doubt, and how it got there. */
export interface Doubted {
  requestId: string;
  jobId: string;
  data: Record<string, unknown>;
}

/** Payments that end in doubt after their only attempt. */
export class Doubts {
  constructor(
    private readonly harness: Harness,
    private readonly rows: MoneyRows,
  ) {}

  /** Charged or not, nobody was told; `under way` where its call may not be over yet. */
  async make(
    happened: 'charged' | 'not charged',
    call: 'over' | 'under way' = 'over',
    options: Record<string, unknown> = {},
  ): Promise<Doubted> {
    this.harness.stripe.fault({ kind: happened === 'charged' ? 'lose-answer' : 'fail-before-effect' });
    const data = payment();
    const request = { type: 'payment-process', data, options: { attempts: 1, ...options } };
    const requestId = await this.harness.bus.request(request);
    const { data: outcome } = await this.harness.bus.outcomeOf(requestId, 'attention');
    const jobId = outcome.jobId ?? '';
    if (call === 'over') await this.rows.age(jobId, 1);
    return { requestId, jobId, data };
  }

  charges(jobId: string) {
    return this.harness.stripe.ledger().filter((one) => one.metadata['job_id'] === jobId);
  }

  /** What a person reads in the provider's dashboard. */
  found(jobId: string): { reference: string; value: Record<string, unknown> } {
    const [charge] = this.charges(jobId);
    if (!charge) throw new Error('nothing was charged');
    return { reference: charge.paymentIntentId, value: { chargeId: charge.chargeId } };
  }

  /** That it happened is known, and nothing that its handler could read: by its answer's text, or after a deploy. */
  async makeUnreadable(value: Record<string, unknown> | null): Promise<Doubted> {
    const doubted = await this.make('charged');
    const { pool } = this.harness.environment;
    // As the attempt itself settles it: nothing that came later, which would have the job run again.
    await pool.query(
      `UPDATE job_effects e SET state = 'done', value = $2, updated_at = j.updated_at
       FROM critical_jobs j WHERE j.id = e.job_id AND j.id = $1`,
      [doubted.jobId, value],
    );
    return doubted;
  }

  /** What was kept of decisions. */
  async decisions(jobId: string): Promise<unknown[]> {
    const { rows } = await this.harness.environment.pool.query(
      `SELECT generation, effect, number, happened, reference, next, decided_by, reason
       FROM job_decisions WHERE job_id = $1 ORDER BY id`,
      [jobId],
    );
    return rows;
  }
}

const SIGNED = { by: 'op-7', reason: 'looked up in the dashboard, ticket 12' };

export function happened(found: { reference: string; value: Record<string, unknown> }): Decision {
  return { ...SIGNED, said: 'happened', effect: undefined, ...found };
}

export function notHappened(next: 'retry' | 'fail', effect?: string): Decision {
  return { ...SIGNED, said: 'notHappened', effect, next };
}

export function nothingUncertain(next: 'retry' | 'fail'): Decision {
  return { ...SIGNED, said: 'nothing', next };
}
