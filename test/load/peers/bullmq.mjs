import { Queue, Worker } from 'bullmq';
import { runPeer } from './glue.mjs';

const CONCURRENCY = 200;

runPeer(async ({ environment, finish }) => {
  const options = {
    connection: { url: environment.REDIS_MONEY_URL, maxRetriesPerRequest: null },
    prefix: environment.QUEUE_PREFIX,
  };
  const queue = new Queue('money', options);
  const worker = new Worker('money', ({ data }) => finish(data), { ...options, concurrency: CONCURRENCY });
  worker.on('error', console.error);
  await worker.waitUntilReady();
  return ([data]) => queue.add('payment', data, { jobId: data.id, attempts: 3, removeOnComplete: 1_000 });
});
