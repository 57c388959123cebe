/**
 * What stands before the emulator: faults, the rate limit, and what Twilio refuses and the emulator does not. A message
 * that comes again is another message: Twilio takes no keys.
 */
import { z } from 'zod';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { underFaults } from '../serve';
import * as errors from './errors';

/** A message that was really taken. */
export interface SentText {
  sid: string;
  to: string;
  from: string;
  body: string;
}

const taken = z.object({ sid: z.string(), to: z.string(), from: z.string(), body: z.string() });
const EMULATOR_LIMIT_MS = 10_000;

export class TwilioService {
  readonly faults = new FaultPlan();
  calls = 0;
  #texts: SentText[] = [];

  /** @param onTaken told of each message */
  constructor(
    private readonly emulatorUrl: string,
    private readonly onTaken: (text: SentText) => void = () => undefined,
  ) {}

  ledger(): SentText[] {
    return [...this.#texts];
  }

  reset(): void {
    this.calls = 0;
    this.#texts = [];
    this.faults.clear();
  }

  handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    const form = new URLSearchParams(request.method === 'POST' ? request.body : request.query);
    const answer = (fault: ActiveFault | undefined) => this.#answer(request, form, fault);
    return underFaults(this.faults, request, Object.fromEntries(form), answer);
  }

  async #answer(request: SandboxRequest, form: URLSearchParams, fault: ActiveFault | undefined): Promise<SandboxReply> {
    if (fault?.kind === 'rate-limit') return errors.rateLimited(fault.retryAfterSeconds);
    if (fault?.kind === 'unavailable') return errors.unavailable();
    if (fault?.kind === 'unauthorized') return errors.unauthorized();
    const isMessage = request.method === 'POST' && request.path.endsWith('/Messages.json');
    if (fault?.kind === 'bad-request') return errors.badRequest();
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') return errors.serverError();
    const complaint = isMessage && errors.complaintAbout(form);
    if (complaint) return complaint;
    const reply = await this.#forward(request);
    if (isMessage && reply.status === 201) this.#take(taken.parse(reply.body));
    return fault?.kind === 'fail-after-effect' ? errors.serverError() : reply;
  }

  #take(text: SentText): void {
    this.#texts.push(text);
    this.onTaken(text);
  }

  async #forward({ method, path, query, headers, body }: SandboxRequest): Promise<SandboxReply> {
    const address = `${this.emulatorUrl}${path}${query === '' ? '' : `?${query}`}`;
    const response = await fetch(address, {
      method,
      headers: {
        authorization: headers.authorization ?? '',
        'content-type': headers['content-type'] ?? 'application/x-www-form-urlencoded',
      },
      ...(method === 'GET' ? {} : { body }),
      signal: AbortSignal.timeout(EMULATOR_LIMIT_MS),
    });
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
  }
}
