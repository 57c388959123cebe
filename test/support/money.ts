import type { Pool } from 'pg';
import { z } from 'zod';
import type { Config } from '../../src/config';
import { eventually } from './harness';

const row = z.object({
  id: z.string(),
  status: z.string(),
  generation: z.number(),
  dispatch: z.number(),
  attempts: z.number(),
  starts: z.number(),
  finishes: z.number(),
  sequence: z.number(),
  reason: z.string().nullable(),
  held: z.boolean(),
  waits: z.number(),
});
const transition = z.object({ from_status: z.string(), to_status: z.string(), reason: z.string().nullable() });
const effect = z.object({
  name: z.string(),
  number: z.number(),
  state: z.string(),
  calls: z.number(),
  reference: z.string().nullable(),
});
const letter = z.object({ kind: z.string(), code: z.string() });

export type MoneyRow = z.infer<typeof row>;

/** What PostgreSQL says about the job that a request became. */
export class MoneyRows {
  constructor(private readonly pool: Pool) {}

  async find(requestId: string): Promise<MoneyRow | undefined> {
    const { rows } = await this.pool.query(
      `SELECT id, status, generation, dispatch, attempts, starts, finishes, sequence, reason,
         live_key IS NOT NULL AS held, EXTRACT(epoch FROM run_at - updated_at)::float8 AS waits
       FROM critical_jobs WHERE request_id = $1`,
      [requestId],
    );
    return rows.length === 0 ? undefined : row.parse(rows[0]);
  }

  /** Waits for the job to be as `accept` wants it. */
  until(what: string, requestId: string, accept: (job: MoneyRow) => boolean): Promise<MoneyRow> {
    return eventually(what, async () => {
      const job = await this.find(requestId);
      return job && accept(job) ? job : undefined;
    });
  }

  /** Every move, oldest first, as `from → to (reason)`. */
  async moves(jobId: string): Promise<string[]> {
    const { rows } = await this.pool.query(
      'SELECT from_status, to_status, reason FROM critical_job_transitions WHERE job_id = $1 ORDER BY at, ctid',
      [jobId],
    );
    return z
      .array(transition)
      .parse(rows)
      .map(({ from_status, to_status, reason }) => `${from_status} → ${to_status}${reason ? ` (${reason})` : ''}`);
  }

  async effects(jobId: string): Promise<z.infer<typeof effect>[]> {
    const { rows } = await this.pool.query(
      'SELECT name, number, state, calls, reference FROM job_effects WHERE job_id = $1 ORDER BY name, number',
      [jobId],
    );
    return z.array(effect).parse(rows);
  }

  async deadLetters(jobId: string): Promise<z.infer<typeof letter>[]> {
    const { rows } = await this.pool.query(
      'SELECT kind, code FROM dead_letter_jobs WHERE job_id = $1 ORDER BY created_at',
      [jobId],
    );
    return z.array(letter).parse(rows);
  }

  /** Outcomes written about a job, oldest first: what was promised to the bus, published or not. */
  async outcomes(jobId: string): Promise<string[]> {
    const { rows } = await this.pool.query(
      `SELECT split_part(routing_key, '.', 3) AS outcome FROM outbox_events WHERE ordering_key = $1 ORDER BY seq`,
      [jobId],
    );
    return z
      .array(z.object({ outcome: z.string() }))
      .parse(rows)
      .map(({ outcome }) => outcome);
  }

  async suspectStarts(jobId: string): Promise<number | undefined> {
    const { rows } = await this.pool.query('SELECT suspect_starts FROM critical_jobs WHERE id = $1', [jobId]);
    return z.array(z.object({ suspect_starts: z.number() })).parse(rows)[0]?.suspect_starts;
  }

  /** As if the job's effects had begun so long ago. */
  async age(jobId: string, hours: number): Promise<void> {
    await this.pool.query(
      `UPDATE job_effects SET created_at = created_at - $2 * interval '1 hour',
         deadline = deadline - $2 * interval '1 hour' WHERE job_id = $1`,
      [jobId, hours],
    );
  }
}

/** Recovery that looks so often that a test need not wait long. */
export function quick(config: Config): Config {
  return {
    ...config,
    worker: { ...config.worker, lockMs: 1_500, stalledCheckMs: 500 },
    recovery: { leaseMs: 1_500, checkEveryMs: 200, overdueEveryMs: 500, overdueByMs: 500 },
  };
}
