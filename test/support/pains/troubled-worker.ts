/**
 * A worker of the service in a process of its own that gets into trouble as TROUBLE says: it dies in a handler, or right
 * after the provider has charged, or its event loop stands still there.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { loadConfig } from '../../../src/config';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { createService } from '../../../src/service';
import { around } from '../around';
import { quick } from '../money';

const trouble = z
  .object({
    /** What happens once the provider has answered for the first time. */
    afterCharge: z.enum(['die', 'block']).optional(),
    blockMs: z.number().default(0),
    /** A canary noted `kills` dies when so many others run beside it; those then never end. */
    killsBeside: z.number().optional(),
  })
  .parse(JSON.parse(process.env['TROUBLE'] ?? '{}'));
const canary = z.object({ n: z.int(), note: z.string() });

let running = 0;
let inTrouble = false;

const handler: Handler = async (payload) => {
  const { n, note } = canary.parse(payload);
  running += 1;
  process.stdout.write(`${note} among ${running}\n`);
  if (note === 'kills') {
    while (running <= (trouble.killsBeside ?? 0)) await pause(10);
    die();
  }
  await (trouble.killsBeside === undefined ? pause(50) : new Promise(() => undefined));
  running -= 1;
  return done({ n });
};

const decorate = around({
  'call provider': async (run) => {
    const answer = await run();
    if (trouble.afterCharge === 'die') die();
    if (trouble.afterCharge === 'block' && !inTrouble) {
      inTrouble = true;
      process.stdout.write('stands still\n');
      // Nothing else runs meanwhile: no lock is renewed.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, trouble.blockMs);
      process.stdout.write('goes on\n');
    }
    return answer;
  },
  settle: async (run) => {
    const answer = await run();
    process.stdout.write('settled\n');
    return answer;
  },
});

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

const service = createService(quick(loadConfig({ ...process.env, ROLES: 'worker' })), {
  decorate,
  handlers: new Map([['canary-money', handler]]),
});
process.once('SIGTERM', () => void service.stop().then(() => process.exit(0)));
void service.start();
