import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { holdWork, makeBadWeather, MAIL_WEATHER } from './faults';
import { makePlan } from './plan';
import { Progress } from '../progress';
import { SeededRandom } from './random';
import { runSale } from './sale';
import type { Stage } from '../stage';

const PER_SECOND = 50;
const FLUSH_AT = 0.3;
const KILL_AT = 0.6;
/** Time for workers to take charges and mails that the providers then hold. */
const BEFORE_KILL_MS = 400;
/** As long as an orchestrator needs to notice. */
const RESTART_AFTER_MS = 1_000;
/**
 * Only a lost answer takes so long: publishing takes 12 s, a killed worker's charges come back after 10 to 15 s, and
 * their retries soon after that. A machine that is busy with other things needs several times as long.
 */
const SALE_LIMIT_MS = 180_000;
/** After the last answer, for what must not come. */
const QUIET_MS = 1_500;
const LOOK_EVERY_MS = 50;

export interface Sale {
  incidents: string[];
  /** False when time was up before the last answer had come; the checker says whose. */
  complete: boolean;
}

interface Incidents {
  flushes: number;
  kills: number;
  told: string[];
}
type Report = (count: 'flushes' | 'kills', text: string) => void;

/** The sale itself, with everything that goes wrong in it. Ends when all is answered and nothing more comes. */
export async function performSale(
  stage: Stage,
  { seed, orders }: { seed: number; orders: number },
  interrupted: AbortSignal,
): Promise<Sale> {
  const plan = makePlan(`sale-${seed}`, seed, orders);
  const random = new SeededRandom(seed + 1);
  await makeBadWeather(stage.providers, random);
  const incidents: Incidents = { flushes: 0, kills: 0, told: [] };
  const progress = new Progress(() => progressLine(stage, plan.length, incidents));
  const report = (count: 'flushes' | 'kills', text: string): void => {
    incidents[count] += 1;
    incidents.told.push(text);
    progress.note(`  ${text}`);
  };
  // Not AbortSignal.timeout: one that only `any` refers to is garbage to Node 20, and never fires.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), SALE_LIMIT_MS);
  const signal = AbortSignal.any([interrupted, late.signal]);
  console.log(`Asking ${plan.length} times, ${PER_SECOND} a second`);
  progress.start();
  try {
    await runSale(stage, plan, {
      perSecond: PER_SECOND,
      signal,
      incidents: [
        { atShare: FLUSH_AT, happen: () => emptyRedis(stage, report) },
        { atShare: KILL_AT, happen: () => killWorker(stage, random, report) },
        ...MAIL_WEATHER.map(({ atShare, fault }) => ({
          atShare,
          happen: () => stage.providers.mails.addFault(fault),
        })),
        // Or a few unlucky charges would be tried, at growing distances, long after all others are done.
        { atShare: 1, happen: () => stage.providers.payments.clearFaults() },
      ],
    });
    const complete = await allAnswered(stage, signal);
    return { incidents: incidents.told, complete };
  } finally {
    clearTimeout(timer);
    progress.stop();
  }
}

async function emptyRedis({ services }: Stage, report: Report): Promise<void> {
  const redis = new Redis(services.urls.REDIS_MONEY_URL, { maxRetriesPerRequest: 1, commandTimeout: 5_000 });
  try {
    const keys = await redis.dbsize();
    await redis.flushall();
    report('flushes', `FLUSHALL: the money Redis has lost all of its ${keys} keys`);
  } finally {
    redis.disconnect();
  }
}

async function killWorker(stage: Stage, random: SeededRandom, report: Report): Promise<void> {
  await holdWork(stage.providers);
  await sleep(BEFORE_KILL_MS);
  const restart = sleep(RESTART_AFTER_MS);
  const name = await stage.service.killWorker(random, restart);
  stage.record();
  report('kills', `kill -9: ${name} died in the middle of its charges and mails, and was started again`);
}

async function allAnswered({ answers }: Stage, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (answers.complete && answers.quietForMs >= QUIET_MS) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

function progressLine({ answers }: Stage, planned: number, { flushes, kills }: Incidents): string {
  const { asked, answered, charged, receipts, declined, rejected, duplicates } = answers.counts;
  return [
    `asked ${asked}/${planned}`,
    `answered ${answered}`,
    `charged ${charged}`,
    `receipts ${receipts}`,
    `declined ${declined}`,
    `rejected ${rejected}`,
    `duplicates ${duplicates}`,
    `flushes ${flushes}`,
    `kills ${kills}`,
  ].join(' · ');
}
