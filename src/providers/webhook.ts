import type { WebhookPayload } from '../catalogue/webhook-process';

/** A request to a provider's endpoint as it came, before anybody knows whether it is the provider's. */
export interface WebhookRequest {
  body: Buffer;
  /** Path and query. */
  target: string;
  header: (name: string) => string | undefined;
}

export type OpenedWebhook =
  /** Not signed by the provider, or too long ago. Nothing of it is known. */
  | { kind: 'forged' }
  /** The provider's, and not in a form that this version knows. */
  | { kind: 'unreadable' }
  /** `ignored`: events that nobody here has a use for. `unreadable`: such whose form this version does not know. */
  | { kind: 'opened'; reports: WebhookPayload[]; ignored: number; unreadable: number };

/** Proves that a request is a provider's, and says what it reports. Never throws. */
export type OpenWebhook = (request: WebhookRequest) => OpenedWebhook;

/** One event: a report, one of no use, or one in an unknown form. */
export type ReadEvent = WebhookPayload | 'ignored' | 'unreadable';

export function opened(events: ReadEvent[]): OpenedWebhook {
  return {
    kind: 'opened',
    reports: events.filter((event) => typeof event === 'object'),
    ignored: events.filter((event) => event === 'ignored').length,
    unreadable: events.filter((event) => event === 'unreadable').length,
  };
}

/** A report as the catalogue takes it: ids of unusual length or characters make it unreadable. */
export function asReport(schema: { safeParse: (data: unknown) => { data?: WebhookPayload } }, data: object): ReadEvent {
  return schema.safeParse(data).data ?? 'unreadable';
}
