import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CHECKOUT } from '../services/layout';
import { endProcess, isOurs } from '../services/processes';

const record = z.object({ launcher: z.int(), children: z.array(z.int()) });

/** What only processes of ours have in their command line, followed by the folder in which they work. */
const CHILD_MARKS = ['dist/main.js', '--sendgrid 0 --fcm 0', 'src/main.ts'].map((mark) => `${mark} ${CHECKOUT}`);

/** Remembers which processes a launcher has started, for the next one, should this one be killed. */
export class RunRecord {
  private readonly file: string;

  /** @param script of the launcher, as its command line has it */
  constructor(
    folder: string,
    private readonly script: string,
  ) {
    this.file = path.join(folder, 'processes.json');
  }

  /** Ends what an earlier launcher left behind that was itself killed. @throws while another one runs in this checkout */
  async endPrevious(): Promise<void> {
    if (!existsSync(this.file)) return;
    const { launcher, children } = record.parse(JSON.parse(readFileSync(this.file, 'utf8')));
    if (launcher !== process.pid && isOurs(launcher, [this.script])) {
      throw new Error(`another ${this.script} runs in this checkout (pid ${launcher}); wait for it, or stop it`);
    }
    for (const pid of children) {
      if (isOurs(pid, CHILD_MARKS)) await endProcess(pid, 'SIGTERM', `process ${pid} of an earlier run`);
    }
  }

  write(children: number[]): void {
    writeFileSync(this.file, JSON.stringify({ launcher: process.pid, children }));
  }
}
