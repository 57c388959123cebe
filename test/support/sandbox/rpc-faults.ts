/** How the faults of faults.ts look where everything is asked by JSON-RPC. */
import type { ActiveFault } from './faults';
import type { Handled } from './http';

/** What is answered instead of asking the node; undefined when it is asked all the same. */
export function faultReply(fault: ActiveFault, id: unknown): Handled | undefined {
  switch (fault.kind) {
    case 'reset-before':
      return 'reset';
    case 'hang':
      return 'hang';
    case 'rate-limit':
      return {
        status: 429,
        headers: { 'retry-after': String(fault.retryAfterSeconds) },
        body: { jsonrpc: '2.0', id, error: { code: 429, message: 'Too many requests' } },
      };
    case 'unauthorized':
      return { status: 401, body: { jsonrpc: '2.0', id, error: { code: -32_000, message: 'Must be authenticated!' } } };
    case 'bad-request':
      return { status: 200, body: { jsonrpc: '2.0', id, error: { code: -32_602, message: 'invalid params' } } };
    case 'unavailable':
      return { status: 503, body: { error: 'no node' } };
    case 'fail-before-effect':
      return { status: 500, body: { error: 'internal' } };
    case 'slow':
    case 'lose-answer':
    case 'fail-after-effect':
      return undefined;
  }
}

/** The node did what was asked, and nobody hears of it. */
export function isSwallowed({ kind }: ActiveFault): boolean {
  return kind === 'lose-answer' || kind === 'fail-after-effect';
}
