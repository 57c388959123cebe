/** The sandbox's own door, for other processes: what happened, and what shall go wrong next. */
import { faultSchema, type Fault } from './faults';
import type { SandboxReply, SandboxRequest } from './http';

const PREFIX = '/_sandbox/';

export interface SandboxControls {
  /** What happened, under the provider's own name for it. */
  ledger(): Record<string, object[]>;
  calls(): number;
  fault(fault: Fault): unknown;
  clearFaults(): void;
  /** Absent where a provider takes no keys. */
  expireKeys?: () => void;
}

/** Undefined when the request is one for the provider. */
export function answerControl(request: SandboxRequest, controls: SandboxControls): SandboxReply | undefined {
  if (!request.path.startsWith(PREFIX)) return undefined;
  switch (`${request.method} ${request.path.slice(PREFIX.length)}`) {
    case 'GET ledger':
      return { status: 200, body: { ...controls.ledger(), calls: controls.calls() } };
    case 'POST faults':
      return addFault(request.body, controls);
    case 'DELETE faults':
      controls.clearFaults();
      return { status: 200, body: {} };
    case 'POST keys/expire':
      if (!controls.expireKeys) break;
      controls.expireKeys();
      return { status: 200, body: {} };
  }
  return { status: 404, body: { problem: `The sandbox knows no ${request.method} ${request.path}` } };
}

function addFault(body: string, controls: SandboxControls): SandboxReply {
  const fault = faultSchema.safeParse(parseJson(body));
  if (!fault.success) return { status: 400, body: { problem: fault.error.issues } };
  controls.fault(fault.data);
  return { status: 201, body: fault.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
