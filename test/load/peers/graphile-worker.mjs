import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { runPeer } from './glue.mjs';

const CONCURRENCY = 50;
/** What its documentation offers for throughput: jobs fetched and completed many at a time. */
const IN_BATCHES = { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } };

runPeer(async ({ environment, batched, finish }) => {
  const pool = new pg.Pool({ connectionString: environment.DATABASE_URL, max: CONCURRENCY + 4 });
  pool.on('error', console.error);
  const utils = await makeWorkerUtils({ pgPool: pool });
  await utils.migrate();
  await run({
    pgPool: pool,
    concurrency: CONCURRENCY,
    pollInterval: 2_000,
    noHandleSignals: true,
    logger: new Logger(() => () => undefined),
    taskList: { money: (data) => finish(data) },
    ...(batched ? { preset: IN_BATCHES } : {}),
  });
  return batched
    ? (requests) =>
        utils.addJobs(requests.map((data) => ({ identifier: 'money', payload: data, jobKey: data.id, maxAttempts: 3 })))
    : ([data]) => utils.addJob('money', data, { jobKey: data.id, maxAttempts: 3 });
});
