/**
 * A stand-in for SendGrid's Mail Send over HTTP that remembers every mail it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import { serveStandIn, type Exchange, type ServeOptions, type StandIn } from '../serve';
import { reportMails, type EventKey } from './events';
import { SendGridService, type SentMail } from './service';

export type { SentMail } from './service';

export type SendGridExchange = Exchange;

export interface SendGridSandboxOptions extends ServeOptions {
  /** Where webhooks are sent as things happen, and how they are signed. */
  webhooks?: { url: string; key: EventKey };
}

export type SendGridSandbox = StandIn<SentMail>;

export function startSendGridSandbox(options: SendGridSandboxOptions = {}): Promise<SendGridSandbox> {
  const { webhooks } = options;
  const service = new SendGridService(webhooks && ((mails) => reportMails(mails, webhooks)));
  return serveStandIn(service, 'mails', options);
}
