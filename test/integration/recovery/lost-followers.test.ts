import { randomUUID } from 'node:crypto';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import type { Claim } from '../../../src/jobs/claim';
import { deleteFollowers, insertFollowers, readFollowed, readUnknownFollowed } from '../../../src/jobs/followers';
import { VolatileAttempts } from '../../../src/jobs/volatile/attempts';
import { VolatileJobs } from '../../../src/jobs/volatile/store';
import type { Database } from '../../../src/platform/postgres/database';
import { LostFollowers } from '../../../src/recovery/lost-followers';
import { openHarness, type Harness } from '../../support/harness';
import { claimJob, claimOf, openDatabase, settlementOf } from '../../support/records';

let harness: Harness;
let database: Database;
let jobs: VolatileJobs;
let attempts: VolatileAttempts;
let isLeader = true;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  jobs = new VolatileJobs(harness.environment.lowerRedis.background, 'background', 'lost');
  const { queueName, keepMs } = QUEUE_POLICIES.background;
  attempts = new VolatileAttempts(jobs, database, { queueName, instance: 'test', keepMs });
});
beforeEach(() => {
  isLeader = true;
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

const lookout = () =>
  new LostFollowers({
    isLeader: () => isLeader,
    readUnknownFollowed: (after, limit) => readUnknownFollowed(database, after, limit),
    areOpen: (jobIds) => jobs.areOpen(jobIds),
    deleteFollowers: (jobIds) => deleteFollowers(database, jobIds),
  });

async function follow(jobId: string): Promise<string> {
  const requestKey = randomUUID();
  const follower = {
    jobId,
    requestKey,
    requestId: 'r',
    source: '/s',
    correlationId: undefined,
    traceparent: undefined,
  };
  await database.transaction((tx) => insertFollowers(tx, [{ ...follower, answered: false }]));
  return requestKey;
}

async function openJob(): Promise<Claim> {
  const claim = claimOf({ queueName: 'background-queue', jobType: 'canary-background' });
  await jobs.claim([claim]);
  return claim;
}

const isFollower = async (requestKey: string) => (await readFollowed(database, [requestKey])).has(requestKey);

it('followers of a job that is nowhere are forgotten; those of one that is open, has ended or is a money job stay', async () => {
  const lost = await follow(claimOf().jobId);
  const open = await follow((await openJob()).jobId);
  const money = await follow((await claimJob(database)).jobId);
  const ended = await openJob();
  const follower = await follow(ended.jobId);
  const [job] = await attempts.start([{ jobId: ended.jobId, generation: 1, dispatch: 1, token: randomUUID() }]);
  await database.transaction((tx) => attempts.settle(tx, job ? [{ job, settlement: settlementOf(job) }] : []));
  await jobs.forget([ended]);

  const followers = lookout();
  expect(await followers.look()).toBe(0);
  expect(await isFollower(lost)).toBe(true);
  expect(await followers.look()).toBe(1);
  expect(await isFollower(lost)).toBe(false);
  for (const one of [open, money, follower]) expect(await isFollower(one)).toBe(true);
});

it('a job that still ran when its Redis was emptied keeps its followers, once it has ended', async () => {
  const claimed = await openJob();
  const follower = await follow(claimed.jobId);
  const [job] = await attempts.start([{ jobId: claimed.jobId, generation: 1, dispatch: 1, token: randomUUID() }]);
  await jobs.forget([claimed]);

  const followers = lookout();
  await followers.look();
  await database.transaction((tx) => attempts.settle(tx, job ? [{ job, settlement: settlementOf(job) }] : []));
  await followers.look();
  expect(await isFollower(follower)).toBe(true);
});

it('only the leader forgets', async () => {
  const lost = await follow(claimOf().jobId);
  const followers = lookout();
  await followers.look();
  isLeader = false;
  expect(await followers.look()).toBe(0);
  expect(await isFollower(lost)).toBe(true);
});
