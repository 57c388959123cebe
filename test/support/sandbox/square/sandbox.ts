/**
 * A stand-in for Square's Payments and Refunds over HTTP that keeps state. Reachable from this process by the returned
 * handle and from others through /_sandbox (see ../control.ts).
 */
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type Exchange, type ServeOptions } from '../serve';
import { SquareService, type SquarePayment, type SquareRefund } from './service';

export type SquareExchange = Exchange;

export interface SquareSandbox {
  url: string;
  payments(): SquarePayment[];
  refunds(): SquareRefund[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** Forgets all idempotency keys. */
  expireKeys(): void;
  /** As if some days had passed: what was pending is completed. */
  passTime(): void;
  /** From now on lists show nothing newer than this moment, until `resumeLists`. */
  pauseLists(): void;
  resumeLists(): void;
  close(): Promise<void>;
}

export async function startSquareSandbox(options: ServeOptions = {}): Promise<SquareSandbox> {
  const service = new SquareService();
  const { books, faults, keys } = service;
  const controls = {
    calls: () => service.calls,
    fault: (fault: Fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    expireKeys: () => keys.expire(),
  };
  const ledger = () => ({ payments: service.payments(), refunds: service.refunds() });
  const server = await serveSandbox(service, { ...controls, ledger }, options);
  return {
    ...controls,
    ...server,
    payments: () => service.payments(),
    refunds: () => service.refunds(),
    passTime: () => books.passTime(),
    pauseLists: () => books.pauseLists(),
    resumeLists: () => books.resumeLists(),
  };
}
