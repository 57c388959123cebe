import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { z } from 'zod';
import { BASE_PATH } from '../../../src/contract/http';
import type { Called } from './commands';
import { NOTE } from './request';

/** Whom to call, and as whom. */
export interface Api {
  address: string;
  token: string;
}

const added = z.object({ jobId: z.uuid() });

/** The callers of the HTTP interface, with connections that stay open. */
export class Calls {
  private readonly agent = new Agent({ keepAlive: true });
  private jobIds: string[] = [];

  /** @param inFlight calls at the same time */
  async add(api: Api, type: string, jobs: number, inFlight: number): Promise<Called> {
    this.jobIds = [];
    return timeAll(jobs, inFlight, async (n) => {
      const body = JSON.stringify({ type, data: { n, note: NOTE }, idempotencyKey: randomUUID() });
      this.jobIds.push(added.parse(await this.call(api, 'POST', '/jobs', 201, body)).jobId);
    });
  }

  /** Asks for jobs that were added last. */
  look(api: Api, jobs: number, inFlight: number): Promise<Called> {
    return timeAll(jobs, inFlight, async (n) => {
      const id = this.jobIds[n % this.jobIds.length];
      await this.call(api, 'GET', `/jobs/${id ?? ''}`, 200);
    });
  }

  private call({ address, token }: Api, method: string, path: string, expected: number, body = ''): Promise<unknown> {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${address}${BASE_PATH}${path}`, { agent: this.agent, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === expected) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${String(response.statusCode)} ${text}`));
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

async function timeAll(calls: number, inFlight: number, call: (n: number) => Promise<void>): Promise<Called> {
  const waits: number[] = [];
  let begunCalls = 0;
  const caller = async (): Promise<void> => {
    while (begunCalls < calls) {
      begunCalls += 1;
      const begun = performance.now();
      await call(begunCalls);
      waits.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  return { seconds: (performance.now() - begun) / 1_000, waits };
}
