import { randomInt } from 'node:crypto';

/** A sound payload of `send-sms`, each to another number. */
export function receiptText(over: Record<string, unknown> = {}): Record<string, unknown> {
  const to = `+1555${randomInt(10_000_000)}`.padEnd(12, '0');
  return { to, template: 'receipt', message: 'Your order is paid: 2 tickets', ...over };
}
