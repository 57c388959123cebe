import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CHECKOUT } from '../services/layout';
import { endProcess, isOurs } from '../services/processes';

const record = z.object({ demo: z.int(), children: z.array(z.int()) });

/** What only processes of this demo have in their command line, followed by the folder in which they work. */
const CHILD_MARKS = [`dist/main.js ${CHECKOUT}`, `--sendgrid 0 ${CHECKOUT}`];
const DEMO_MARK = 'tools/demo/main.ts';

/** Ends what a demo left behind that was itself killed. Refuses while another one runs in this checkout. */
export async function endPreviousRun(folder: string): Promise<void> {
  if (!existsSync(pidFile(folder))) return;
  const { demo, children } = record.parse(JSON.parse(readFileSync(pidFile(folder), 'utf8')));
  if (demo !== process.pid && isOurs(demo, [DEMO_MARK])) {
    throw new Error(`another demo runs in this checkout (pid ${demo}); wait for it, or stop it`);
  }
  for (const pid of children) {
    if (isOurs(pid, CHILD_MARKS)) await endProcess(pid, 'SIGTERM', `process ${pid} of an earlier demo`);
  }
}

export function recordRun(folder: string, children: number[]): void {
  writeFileSync(pidFile(folder), JSON.stringify({ demo: process.pid, children }));
}

function pidFile(folder: string): string {
  return path.join(folder, 'processes.json');
}
