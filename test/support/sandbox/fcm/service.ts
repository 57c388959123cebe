/**
 * How FCM treats a request, in its order: quota, token, project, body, device, effect, answer; and how Google gives out
 * tokens. Faults are put between these steps. A message that comes again is another message: FCM takes no keys.
 */
import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { underFaults } from '../serve';
import { account, publicKey } from './account';
import * as errors from './errors';

/** A notification that was really taken. */
export interface SentNotification {
  name: string;
  token: string;
  title: string;
  body: string;
  data: Record<string, string>;
  /** By which a device puts one in the place of another; the same on every platform. */
  tag: string;
}

const texts = z.record(z.string(), z.string());
const tagged = z.strictObject({ tag: z.string() });
/** Only what the service may ever send is known here: a name beyond it is refused, so that a mistake in one shows. */
const messageSchema = z.strictObject({
  message: z.strictObject({
    token: z.string().min(1),
    notification: z.strictObject({ title: z.string(), body: z.string() }),
    data: texts.optional(),
    android: z.strictObject({ collapse_key: z.string(), notification: tagged }),
    apns: z.strictObject({ headers: texts }),
    webpush: z.strictObject({ notification: tagged }),
  }),
});

/** "Maximum payload for both message types is 4000 bytes". */
const MAX_BYTES = 4_000;
const TOKEN_SECONDS = 3_600;
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const assertionClaims = z.object({ iss: z.literal(account.client_email), scope: z.literal(SCOPE), exp: z.number() });

export class FcmService {
  readonly faults = new FaultPlan();
  calls = 0;
  readonly #sent: SentNotification[] = [];
  readonly #tokens = new Set<string>();

  ledger(): SentNotification[] {
    return [...this.#sent];
  }

  handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    const body = parseJson(request.body);
    const token = z.object({ message: z.object({ token: z.string() }) }).safeParse(body).data?.message.token;
    const metadata: Record<string, string> = token === undefined ? {} : { token };
    return underFaults(this.faults, request, metadata, (fault) => this.#answer(request, body, fault));
  }

  async #answer(request: SandboxRequest, body: unknown, fault: ActiveFault | undefined): Promise<SandboxReply> {
    if (fault?.kind === 'rate-limit') return errors.rateLimited(fault.retryAfterSeconds);
    if (fault?.kind === 'unavailable') return errors.unavailable();
    if (fault?.kind === 'unauthorized') return errors.unauthorized();
    if (fault?.kind === 'bad-request') return errors.invalid('Invalid value.');
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') return errors.serverError();
    const reply = request.path === '/token' ? this.#giveToken(request) : this.#take(request, body);
    return fault?.kind === 'fail-after-effect' ? errors.serverError() : reply;
  }

  /** RFC 7523: an assertion that the account has signed, for a token. */
  #giveToken({ body, headers }: SandboxRequest): SandboxReply {
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return errors.invalidGrant();
    try {
      const audience = new RegExp(`^https?://${headers.host ?? ''}/token$`);
      const claims = jwt.verify(form.get('assertion') ?? '', publicKey, { algorithms: ['RS256'], audience });
      assertionClaims.parse(claims);
    } catch {
      return errors.invalidGrant();
    }
    const token = `ya29.${randomUUID()}`;
    this.#tokens.add(token);
    return { status: 200, body: { access_token: token, expires_in: TOKEN_SECONDS, token_type: 'Bearer' } };
  }

  #take({ method, path, headers, body: text }: SandboxRequest, body: unknown): SandboxReply {
    const project = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(path)?.[1];
    if (project === undefined || method !== 'POST') return errors.notFound();
    if (!this.#tokens.has(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')) return errors.unauthorized();
    if (project !== account.project_id) return errors.otherProject();
    const parsed = messageSchema.safeParse(body);
    if (!parsed.success) return errors.invalid(`Invalid JSON payload received: ${parsed.error.message}`);
    if (Buffer.byteLength(text) > MAX_BYTES) return errors.invalid('Android message is too big');
    const { token, notification, data = {}, android, apns, webpush } = parsed.data.message;
    const complaint = complaintAbout(token);
    if (complaint) return complaint;
    const tags = new Set([
      android.collapse_key,
      android.notification.tag,
      webpush.notification.tag,
      apns.headers['apns-collapse-id'],
    ]);
    const [tag] = tags;
    if (tags.size !== 1 || tag === undefined) return errors.invalid('platforms collapse it differently');
    const name = `projects/${project}/messages/${randomUUID()}`;
    this.#sent.push({ name, token, ...notification, data, tag });
    return { status: 200, body: { name } };
  }
}

/** What becomes of a message is told by its device's token, as that of a card's number. */
function complaintAbout(token: string): SandboxReply | undefined {
  if (token.startsWith('gone-')) return errors.unregistered();
  if (token.startsWith('other-sender-')) return errors.otherSender();
  if (!/^[\w:-]+$/.test(token)) return errors.invalid('The registration token is not a valid FCM registration token');
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
