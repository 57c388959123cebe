/**
 * A stand-in for FCM's HTTP v1 API, and for the place that gives tokens to its service account, that remembers every
 * notification it took. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import { serveStandIn, type ServeOptions, type StandIn } from '../serve';
import { FcmService, type SentNotification } from './service';

export type FcmSandbox = StandIn<SentNotification>;

export function startFcmSandbox(options: ServeOptions = {}): Promise<FcmSandbox> {
  return serveStandIn(new FcmService(), 'notifications', options);
}
