/**
 * A stand-in for SendGrid's Mail Send over HTTP that remembers every mail it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import { serveStandIn, type Exchange, type ServeOptions, type StandIn } from '../serve';
import { SendGridService, type SentMail } from './service';

export type { SentMail } from './service';

export type SendGridExchange = Exchange;

export type SendGridSandboxOptions = ServeOptions;

export type SendGridSandbox = StandIn<SentMail>;

export function startSendGridSandbox(options: SendGridSandboxOptions = {}): Promise<SendGridSandbox> {
  return serveStandIn(new SendGridService(), 'mails', options);
}
