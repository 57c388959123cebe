import { PgBoss } from 'pg-boss';
import { runPeer } from './glue.mjs';

const QUEUE = 'money';

runPeer(async ({ environment, batched, finish }) => {
  const boss = new PgBoss({ connectionString: environment.DATABASE_URL, max: 10, useListenNotify: true });
  boss.on('error', console.error);
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  // Its quickest way to notice jobs, and its largest useful batch.
  const options = {
    batchSize: 200,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 2,
    burstWhenBatchFull: true,
  };
  await boss.work(QUEUE, options, (jobs) => Promise.all(jobs.map(({ data }) => finish(data))));
  return batched
    ? (requests) =>
        boss.insert(
          QUEUE,
          requests.map((data) => ({ id: data.id, data, retryLimit: 3 })),
        )
    : ([data]) => boss.send(QUEUE, data, { id: data.id, retryLimit: 3 });
});
