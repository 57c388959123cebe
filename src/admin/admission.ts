import { HttpError } from './errors';

/** Requests that change something and are under way at the same time; each may hold a body of 1 MiB. */
const MAX_RUNNING = 500;

/** Lets requests that change something in while the process runs, and waits for them when it stops. */
export class Admission {
  private current: 'starting' | 'running' | 'stopping' = 'starting';
  private running = 0;
  private idle: (() => void) | undefined;

  get phase(): 'starting' | 'running' | 'stopping' {
    return this.current;
  }

  open(): void {
    this.current = 'running';
  }

  /** Lets nothing in any more; resolves when everything that was let in is done. */
  async close(): Promise<void> {
    this.current = 'stopping';
    if (this.running === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
  }

  /** @throws HttpError when it may not begin; otherwise whatever `work` throws */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.current !== 'running') throw new HttpError('NOT_RUNNING');
    if (this.running >= MAX_RUNNING) throw new HttpError('OVERLOADED');
    this.running += 1;
    try {
      await work();
    } finally {
      this.running -= 1;
      if (this.running === 0) this.idle?.();
    }
  }
}
