import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Handler } from '../../src/handlers/handler';
import { done, type HandlerOutcome } from '../../src/handlers/outcome';
import { canaryMoney } from '../../src/catalogue/canaries';
import { eventually, gate, type Harness } from './harness';

const places = z.array(z.object({ request_id: z.string() }));

/** Jobs that do what a test says, and what was seen of them: for all replicas of a test's process together. */
export class Rehearsal {
  /** Their numbers, in the order in which attempts of them began. */
  readonly begun: number[] = [];
  /** How many ran at the same moment under the same key, at most. */
  mostAtOnce = 0;
  private readonly running = new Map<string, number>();
  private readonly acts = new Map<number, () => Promise<HandlerOutcome<{ n: number }>>>();

  /** To be the handler of `canary-money`; the key of a job is in its note. */
  readonly handler: Handler = async (payload) => {
    const { n, note = '' } = canaryMoney.payload.parse(payload);
    const count = (this.running.get(note) ?? 0) + 1;
    this.running.set(note, count);
    this.mostAtOnce = Math.max(this.mostAtOnce, count);
    this.begun.push(n);
    try {
      return await (this.acts.get(n)?.() ?? Promise.resolve(done({ n })));
    } finally {
      this.running.set(note, (this.running.get(note) ?? 0) - 1);
    }
  };

  /** What attempts of a job do from now on. */
  act(n: number, act: () => Promise<HandlerOutcome<{ n: number }>>): void {
    this.acts.set(n, act);
  }

  /** Holds attempts of a job until the answer is called. */
  hold(n: number): () => void {
    const held = gate();
    this.act(n, async () => {
      await held.opened;
      return done({ n });
    });
    return () => held.open();
  }

  until(n: number): Promise<unknown> {
    return eventually(`job ${n} begins`, () => this.begun.includes(n));
  }
}

/** Requests under one ordering key, and what became of them. */
export class Line {
  readonly key = randomUUID();

  constructor(private readonly harness: Harness) {}

  /** Asks for the job `n`, and waits until it is one. */
  async join(n: number, options: Record<string, unknown> = {}): Promise<string> {
    const id = await this.ask(n, options);
    await eventually(`request ${n} is a job`, async () => (await this.accepted()).includes(id));
    return id;
  }

  /** Asks for the job `n` under this key. */
  ask(n: number, options: Record<string, unknown> = {}): Promise<string> {
    return this.harness.bus.request({
      type: 'canary-money',
      data: { n, note: this.key },
      idempotencyKey: `${this.key}-${n}`,
      // Whoever holds a job holds its line, for as long as it likes.
      options: { orderingKey: this.key, timeout: 600_000, ...options },
    });
  }

  /** Requests of this line that have a job, in the order of their places; only while their first has not ended. */
  accepted(): Promise<string[]> {
    return acceptedOrder(this.harness.environment.pool, this.key);
  }
}

/** Request ids by place in the line, the head first. @param note of the payloads of its jobs */
export async function acceptedOrder(pool: Pool, note: string): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT request_id FROM critical_jobs WHERE data->>'note' = $1 ORDER BY waiting_rank NULLS FIRST`,
    [note],
  );
  return places.parse(rows).map(({ request_id }) => request_id);
}
