/**
 * What stands before the node: faults, by JSON-RPC method. `match.path` names one as `/eth_sendRawTransaction`, since all
 * of them come by one path.
 */
import { z } from 'zod';
import { FaultPlan } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { faultReply, isSwallowed } from '../rpc-faults';

const NODE_LIMIT_MS = 10_000;
const question = z.object({ id: z.unknown(), method: z.string(), params: z.array(z.unknown()).default([]) });

export class PolygonService {
  readonly faults = new FaultPlan();
  /** How often each method was asked for. */
  readonly calls = new Map<string, number>();

  constructor(private readonly nodeUrl: () => string) {}

  async handle(request: SandboxRequest): Promise<Handled> {
    const { id, method } = question.parse(JSON.parse(request.body));
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    const target = { method: 'POST', path: `/${method}`, idempotencyKey: undefined, metadata: {} };
    const fault = this.faults.take(target);
    if (fault?.kind === 'slow') await fault.wait();
    const before = fault && faultReply(fault, id);
    if (before) return before;
    const reply = await this.forward(request.body);
    return fault && isSwallowed(fault) ? 'reset' : reply;
  }

  private async forward(body: string): Promise<SandboxReply | 'reset'> {
    try {
      const response = await fetch(this.nodeUrl(), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(NODE_LIMIT_MS),
      });
      return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
    } catch {
      // The node is away: so are we.
      return 'reset';
    }
  }
}
