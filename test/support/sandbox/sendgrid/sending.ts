/** What a test needs to send through the adapter: a mail and a call with everything that does not matter filled in. */
import type { Mail, Recipient, SendCall } from '../../../../src/providers/sendgrid/adapter';

export const API_KEY = 'SG.test.sandbox';

export function to(address: string, substitutions: Record<string, string> = {}): Recipient {
  return { to: address, substitutions };
}

export function mail(changes: Partial<Mail> = {}): Mail {
  return {
    jobId: 'job-1',
    recipients: [to('jane@example.com')],
    from: { email: 'tickets@example.com', name: 'Tickets' },
    subject: 'Your order',
    text: 'Two tickets',
    html: '<b>Two tickets</b>',
    category: 'order-receipt',
    ...changes,
  };
}

/** A signal of its own for each call, never aborted unless the test brings one. */
export function sendCall(changes: Partial<SendCall> = {}): SendCall {
  return { timeoutMs: 5000, signal: new AbortController().signal, ...changes };
}

/** A request made without the adapter, as another client of SendGrid would make it. */
export async function post(
  url: string,
  body: unknown,
  { key = API_KEY, path = '/v3/mail/send', method = 'POST' } = {},
) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, body: parsed, headers: response.headers };
}
