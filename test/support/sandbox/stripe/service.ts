/**
 * How Stripe treats a request, in its order: rate limit, secret key, address, idempotency key, parameters, effect,
 * answer. Faults are put between these steps.
 */
import qs from 'qs';
import { z } from 'zod';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import type { ConnectedAccount } from './accounts';
import { Books, type Ledgers } from './books';
import {
  checkSecretKey,
  invalid,
  noAccess,
  rateLimited,
  Refusal,
  serverError,
  unavailable,
  unknownUrl,
} from './errors';
import { IdempotencyKeys, type TakenKey } from './idempotency';
import { newId } from './objects';
import type { Router } from './router';

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
  readonly books: Books;
  readonly #router: Router;
  readonly #callsByKey = new Map<string, number>();

  constructor(indexingDelayMs: number) {
    this.books = new Books(indexingDelayMs);
    this.#router = this.books.routes();
  }

  ledgers(): Ledgers {
    return this.books.ledgers((key) => this.#callsByKey.get(key) ?? 0);
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

    const account = this.#accountOf(request);
    if ('status' in account) return account;
    const asked = { path: request.path, parameters: call.form, requestId: call.requestId };
    const taken = key === undefined ? undefined : this.keys.take(key, account.id, asked);
    if (taken && 'status' in taken) return taken;
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') return finish(taken, serverError());
    this.books.currentKey = key ?? null;
    const reply = carryOut(() => operation(call.parameters, account), taken);
    // After a decline there is no effect to fail after.
    return fault?.kind === 'fail-after-effect' && reply.status === 200 ? finish(taken, serverError()) : reply;
  }

  /** Whose account the request is about: the platform's own, or one that is connected to it. */
  #accountOf(request: SandboxRequest): ConnectedAccount | SandboxReply {
    const id = header(request, 'stripe-account');
    return id === undefined ? this.books.accounts.platform : (this.books.accounts.connected(id) ?? noAccess(id));
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

function carryOut(operation: () => object, taken: TakenKey | undefined): SandboxReply {
  try {
    return finish(taken, { status: 200, body: operation() });
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
