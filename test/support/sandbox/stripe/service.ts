/**
 * How Stripe treats a request, in its order: rate limit, secret key, address, idempotency key, parameters, effect,
 * answer. Faults are put between these steps.
 */
import qs from 'qs';
import { z } from 'zod';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { Charges, type Charge } from './charges';
import { checkSecretKey, invalid, rateLimited, Refusal, serverError, unavailable, unknownUrl } from './errors';
import { IdempotencyKeys, type TakenKey } from './idempotency';
import { Intents } from './intents';
import { newId } from './objects';
import { Refunds, type Refund } from './refunds';
import { Router, type Operation } from './router';
import { search } from './search';

const metadata = z.record(z.string(), z.string());

interface Call {
  request: SandboxRequest;
  requestId: string;
  /** The parameters as they came, and read. */
  form: string;
  parameters: qs.ParsedQs;
  key: string | undefined;
}

export class StripeService {
  readonly faults = new FaultPlan();
  readonly keys = new IdempotencyKeys();
  calls = 0;
  readonly #indexingDelayMs: number;
  /** The last state that the paused search knows. */
  #pausedAfter: number | undefined;
  readonly #callsByKey = new Map<string, number>();
  /** The key of the request that is being carried out, which is one at a time. */
  #currentKey: string | null = null;
  readonly #charges = new Charges();
  readonly #intents = new Intents((intent, chargeId) => this.#charges.add(intent, chargeId, this.#currentKey));
  readonly #refunds = new Refunds(
    this.#charges,
    () => this.#currentKey,
    (id) => this.#intents.has(id),
  );
  readonly #router = this.#routes();

  constructor(indexingDelayMs: number) {
    this.#indexingDelayMs = indexingDelayMs;
  }

  ledger(): Charge[] {
    return this.#charges.ledger().map((charge) => this.#withCalls(charge));
  }

  refunds(): Refund[] {
    return this.#refunds.ledger().map((refund) => this.#withCalls(refund));
  }

  settleRefunds(): void {
    this.#refunds.settle();
  }

  pauseIndexing(): void {
    this.#pausedAfter = this.#intents.saved;
  }

  resumeIndexing(): void {
    this.#pausedAfter = undefined;
  }

  async handle(request: SandboxRequest): Promise<Handled> {
    const call = read(request);
    const { key, requestId } = call;
    this.calls += 1;
    if (key !== undefined) this.#callsByKey.set(key, (this.#callsByKey.get(key) ?? 0) + 1);

    const { method, path } = request;
    const fault = this.faults.take({ method, path, idempotencyKey: key, metadata: metadataOf(call.parameters) });
    if (fault?.kind === 'reset-before') return 'reset';
    if (fault?.kind === 'hang') return 'hang';
    const reply = await this.#answer(call, fault);
    if (fault?.kind === 'lose-answer') return 'reset';
    const version = { 'stripe-version': header(request, 'stripe-version') ?? '2026-10-28.endive' };
    const echo = key === undefined ? {} : { 'idempotency-key': key };
    return { ...reply, headers: { 'request-id': requestId, ...version, ...echo, ...reply.headers } };
  }

  async #answer(call: Call, fault: ActiveFault | undefined): Promise<SandboxReply> {
    const { request, key } = call;
    if (fault?.kind === 'rate-limit') return rateLimited(fault.retryAfterSeconds);
    if (fault?.kind === 'unavailable') return unavailable();
    const secretKey = fault?.kind === 'unauthorized' ? undefined : header(request, 'authorization');
    const refused = checkSecretKey(secretKey, request.method);
    if (refused) return refused;
    if (fault?.kind === 'bad-request') return invalid('The request cannot be carried out.').reply;
    const operation = this.#router.find(request);
    if (!operation) return unknownUrl(request.method, request.path);

    const taken = key === undefined ? undefined : this.keys.take(key, request.path, call.form, call.requestId);
    if (taken && 'status' in taken) return taken;
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') return finish(taken, serverError());
    this.#currentKey = key ?? null;
    const reply = carryOut(operation, call.parameters, taken);
    // After a decline there is no effect to fail after.
    return fault?.kind === 'fail-after-effect' && reply.status === 200 ? finish(taken, serverError()) : reply;
  }

  #routes(): Router {
    const [intents, refunds] = [this.#intents, this.#refunds];
    return new Router()
      .on('POST', '/v1/payment_intents', (parameters) => intents.create(parameters))
      .on('GET', '/v1/payment_intents/search', (parameters) => search(parameters, this.#indexed()))
      .on('GET', '/v1/payment_intents/:id', (parameters, id) => intents.retrieve(id, parameters))
      .on('POST', '/v1/payment_intents/:id/confirm', (parameters, id) => intents.confirm(id, parameters))
      .on('POST', '/v1/payment_intents/:id/cancel', (parameters, id) => intents.cancel(id, parameters))
      .on('POST', '/v1/refunds', (parameters) => refunds.create(parameters))
      .on('GET', '/v1/refunds', (parameters) => refunds.list(parameters))
      .on('GET', '/v1/refunds/:id', (parameters, id) => refunds.retrieve(parameters, id));
  }

  #withCalls<Entry extends { idempotencyKey: string | null }>(entry: Entry): Entry & { calls: number } {
    const { idempotencyKey } = entry;
    return { ...entry, calls: idempotencyKey === null ? 1 : (this.#callsByKey.get(idempotencyKey) ?? 0) };
  }

  #indexed() {
    return this.#intents.indexed((version) => this.#isIndexed(version));
  }

  #isIndexed(version: { savedAt: number; number: number }): boolean {
    if (this.#pausedAfter !== undefined && version.number > this.#pausedAfter) return false;
    return version.savedAt <= Date.now() - this.#indexingDelayMs;
  }
}

function read(request: SandboxRequest): Call {
  const form = request.method === 'POST' ? request.body : request.query;
  return {
    request,
    requestId: newId('req'),
    form,
    parameters: qs.parse(form, { depth: 10, parameterLimit: 1000 }),
    key: request.method === 'POST' ? header(request, 'idempotency-key') : undefined,
  };
}

function carryOut(operation: Operation, parameters: unknown, taken: TakenKey | undefined): SandboxReply {
  try {
    return finish(taken, { status: 200, body: operation(parameters) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.executed) return finish(taken, error.reply);
    // "We save results only after the execution of an endpoint begins."
    taken?.giveUp();
    return error.reply;
  }
}

function finish(taken: TakenKey | undefined, reply: SandboxReply): SandboxReply {
  taken?.finish(reply);
  return reply;
}

function header(request: SandboxRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** What a fault may match on, read before anything is validated. */
function metadataOf(parameters: qs.ParsedQs): Record<string, string> {
  return metadata.safeParse(parameters['metadata']).data ?? {};
}
