/**
 * What this process stands on, looked at when somebody asks. Probes come often and from anybody, so one round of looks
 * serves everybody who asks within a second.
 */
import { performance } from 'node:perf_hooks';
import { describeError } from '../platform/logger';
import type { Component } from '../platform/lifecycle';
import { within } from '../platform/time';

const LOOK_TIMEOUT_MS = 2_000;
const FRESH_MS = 1_000;

export interface Look {
  name: string;
  of: NonNullable<Component['health']>['of'];
  healthy: boolean;
  /** For operators only: it may name servers. */
  error: string | undefined;
}

export class Health {
  private lookedAt = -Infinity;
  private looking = false;
  private round: Promise<Look[]> = Promise.resolve([]);

  constructor(private readonly components: () => Component[]) {}

  /** While a server has not answered the last look, that look's result stands: nobody asks it again on top. */
  look(): Promise<Look[]> {
    if (this.looking || performance.now() - this.lookedAt < FRESH_MS) return this.round;
    this.looking = true;
    const looks = this.components().flatMap(lookAt);
    void Promise.allSettled(looks.map(({ checking }) => checking)).then(() => {
      this.looking = false;
      this.lookedAt = performance.now();
    });
    this.round = Promise.all(looks.map(({ result }) => result));
    return this.round;
  }
}

function lookAt({ name, health }: Component): { checking: Promise<unknown>; result: Promise<Look> }[] {
  if (!health) return [];
  const { of } = health;
  const checking = health.check();
  const result = within(LOOK_TIMEOUT_MS, `looking at ${name}`, checking).then(
    () => ({ name, of, healthy: true, error: undefined }),
    (error: unknown) => ({ name, of, healthy: false, error: describeError(error) }),
  );
  return [{ checking, result }];
}
