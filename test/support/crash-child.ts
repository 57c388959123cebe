/**
 * A process of the service that ends itself by SIGKILL around one call of one step. Started by crash-process.ts, which
 * tells it by CRASH_PLAN where; it answers on the IPC channel.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { Decorate } from '../../src/composition/foundation';
import { loadConfig, type Config } from '../../src/config';
import { createService } from '../../src/service';

const plan = z
  .object({
    step: z.string().optional(),
    when: z.enum(['before', 'after']).optional(),
    call: z.number(),
    /** Whoever creates this file may die: of several processes exactly one. */
    token: z.string(),
    refused: z.string().optional(),
    window: z.number().optional(),
  })
  .parse(JSON.parse(process.env['CRASH_PLAN'] ?? ''));

const command = z.object({ ask: z.enum(['cancel', 'replay']), jobId: z.string() });

/** Times so short that a test need not wait long until the next process notices that one died. */
function tune(config: Config): Config {
  return {
    ...config,
    worker: { ...config.worker, lockMs: 1_500, stalledCheckMs: 400 },
    limits: { ...config.limits, leaseMs: 1_500 },
    relay: { ...config.relay, leaseMs: 1_200, pollMs: 250 },
    recovery: { leaseMs: 1_200, checkEveryMs: 200, overdueEveryMs: 1_000, overdueByMs: 1_000 },
    intake: {
      ...config.intake,
      windows: { ...config.intake.windows, money: plan.window ?? config.intake.windows.money },
    },
  };
}

let calls = 0;
let refusals = 0;

const decorate: Decorate = (name, step) =>
  new Proxy(step, {
    async apply(target, self, args): Promise<unknown> {
      const run = (): Promise<unknown> => Promise.resolve(Reflect.apply(target, self, args));
      if (name === plan.refused && refusals++ === 0) throw new Error('refused, as the test wants it');
      if (name !== plan.step) return run();
      calls += 1;
      const isCall = calls >= plan.call;
      if (isCall && plan.when === 'before') die();
      const answer = await run();
      if (isCall && plan.when === 'after') die();
      return answer;
    },
  });

function die(): void {
  try {
    const file = openSync(plan.token, 'wx');
    writeSync(file, `${plan.when} ${plan.step}`);
    closeSync(file);
  } catch {
    // Somebody else has died here.
    return;
  }
  process.kill(process.pid, 'SIGKILL');
}

const service = createService(tune(loadConfig(process.env)), { decorate });

async function obey(message: unknown): Promise<void> {
  const { ask, jobId } = command.parse(message);
  const answer = ask === 'cancel' ? service.cancelJob(jobId, 'TEST') : service.replayJob(jobId, 'TEST');
  process.send?.({ answer: (await answer).kind });
}

process.on('message', (message) => void obey(message));
process.on('SIGTERM', () => {
  service.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
service.start().then(
  () => process.send?.({ ready: true }),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
