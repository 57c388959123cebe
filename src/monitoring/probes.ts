import type { Redis } from 'ioredis';
import { z } from 'zod';
import { QUEUES, TIERS, type Tier } from '../contract/names';
import type { Queryable } from '../platform/postgres/database';
import type { ProofSteps } from './proofs';

const HTTP_TIMEOUT_MS = 5_000;

/** Reads the settings that the proofs judge, from the servers themselves. */
export function createProbes(parts: {
  redis: Record<Tier, Redis>;
  database: Queryable;
  /** The broker's management API, with credentials in the URL, and the virtual host to look at. */
  management: { url: string; vhost: string } | undefined;
}): ProofSteps {
  const { redis, database, management } = parts;
  return {
    evictionPolicy: (tier) => readConfig(redis[tier], 'maxmemory-policy'),
    appendOnly: async () => {
      const value = await readConfig(redis.money, 'appendonly');
      return value === undefined ? undefined : value === 'yes';
    },
    synchronousCommit: async () => {
      const rows = await database.query<{ setting: string }>({
        text: `SELECT current_setting('synchronous_commit') AS setting`,
      });
      return rows[0]?.setting ?? 'unknown';
    },
    weakQueues: async () => (management ? findWeakQueues(management) : undefined),
  };
}

/** Managed Redis services often refuse CONFIG; then nobody can tell. */
async function readConfig(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await redis.config('GET', name);
  return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : undefined;
}

const queueList = z.array(
  z.object({ name: z.string(), type: z.string(), arguments: z.record(z.string(), z.unknown()) }),
);

async function findWeakQueues(management: { url: string; vhost: string }): Promise<string[]> {
  const url = new URL(`/api/queues/${encodeURIComponent(management.vhost)}`, management.url);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const answer = await fetch(url, {
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
  });
  const queues = new Map(queueList.parse(await answer.json()).map((queue) => [queue.name, queue]));
  const intake = [...TIERS.map((tier) => QUEUES.requests[tier]), QUEUES.otherRequests, QUEUES.domainEvents];
  return intake.filter((name) => {
    const queue = queues.get(name);
    return queue?.type !== 'quorum' || queue.arguments['x-dead-letter-strategy'] !== 'at-least-once';
  });
}
