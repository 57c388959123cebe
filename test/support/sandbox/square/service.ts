/**
 * How Square treats a request, in its order: rate limit, token, address, body, idempotency key, effect, answer. Faults are
 * put between these steps.
 */
import type { z } from 'zod';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { Books } from './books';
import * as errors from './errors';
import { IdempotencyKeys } from './keys';
import { createPayment, listQuery, refundPayment } from './requests';

/** A payment that was really taken. */
export interface SquarePayment {
  paymentId: string;
  amount: number;
  currency: string;
  locationId: string;
  referenceId: string | undefined;
  /** HTTP calls seen with its key, which is the same. */
  calls: number;
}

export interface SquareRefund {
  refundId: string;
  paymentId: string;
  amount: number;
  currency: string;
  reason: string | undefined;
  calls: number;
}

export class SquareService {
  readonly faults = new FaultPlan();
  readonly keys = new IdempotencyKeys();
  readonly books = new Books();
  calls = 0;
  readonly #callsByKey = new Map<string, number>();

  payments(): SquarePayment[] {
    return this.books.payments.map(({ id, amount_money, location_id, reference_id }) => ({
      paymentId: id,
      ...amount_money,
      locationId: location_id,
      referenceId: reference_id,
      calls: this.#callsByKey.get(reference_id ?? '') ?? 1,
    }));
  }

  refunds(): SquareRefund[] {
    return this.books.refunds.map(({ id, payment_id, amount_money, reason }) => ({
      refundId: id,
      paymentId: payment_id,
      ...amount_money,
      reason,
      calls: this.#callsByKey.get(reason ?? '') ?? 1,
    }));
  }

  async handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    const body = parseJson(request.body);
    const key = textOf(body, 'idempotency_key');
    if (key !== undefined) this.#callsByKey.set(key, (this.#callsByKey.get(key) ?? 0) + 1);
    const { method, path } = request;
    const fault = this.faults.take({ method, path, idempotencyKey: key, metadata: {} });
    if (fault?.kind === 'reset-before') return 'reset';
    if (fault?.kind === 'hang') return 'hang';
    const reply = await this.#answer(request, body, fault);
    return fault?.kind === 'lose-answer' ? 'reset' : reply;
  }

  async #answer(request: SandboxRequest, body: unknown, fault: ActiveFault | undefined): Promise<SandboxReply> {
    if (fault?.kind === 'rate-limit') return errors.rateLimited(fault.retryAfterSeconds);
    if (fault?.kind === 'unavailable') return errors.unavailable();
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (fault?.kind === 'unauthorized' || !token?.startsWith('EAAA')) return errors.unauthorized();
    if (request.method !== 'GET' && token === 'EAAA-readonly') return errors.forbidden();
    if (fault?.kind === 'bad-request') return errors.invalid('BAD_REQUEST', 'The request cannot be carried out.');
    switch (`${request.method} ${request.path}`) {
      case 'POST /v2/payments':
        return this.#carryOut(createPayment, body, fault, (read) => this.books.pay(read));
      case 'POST /v2/refunds':
        return this.#carryOut(refundPayment, body, fault, (read) => this.books.refund(read));
    }
    return request.method === 'GET' ? this.#read(request) : errors.notFound(request.path);
  }

  #read({ path, query }: SandboxRequest): SandboxReply {
    const read = listQuery.safeParse(Object.fromEntries(new URLSearchParams(query)));
    if (!read.success) return errors.badBody(read.error);
    if (path === '/v2/payments') return this.books.listPayments(read.data);
    if (path === '/v2/refunds') return this.books.listRefunds(read.data);
    if (path === '/v2/locations') return this.books.locations();
    const [, kind, id = ''] = /^\/v2\/(payments|refunds)\/([^/]+)$/.exec(path) ?? [];
    if (kind === undefined) return errors.notFound(path);
    return kind === 'payments' ? this.books.payment(id) : this.books.refundById(id);
  }

  async #carryOut<Body extends { idempotency_key: string }>(
    schema: z.ZodType<Body>,
    body: unknown,
    fault: ActiveFault | undefined,
    effect: (read: Body) => SandboxReply,
  ): Promise<SandboxReply> {
    const read = schema.safeParse(body);
    if (!read.success) return errors.badBody(read.error);
    const taken = this.keys.take(read.data.idempotency_key, JSON.stringify(read.data));
    if ('status' in taken) return taken;
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') {
      taken.giveUp();
      return errors.serverError();
    }
    const reply = effect(read.data);
    taken.finish(reply);
    return fault?.kind === 'fail-after-effect' ? errors.serverError() : reply;
  }
}

function textOf(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
