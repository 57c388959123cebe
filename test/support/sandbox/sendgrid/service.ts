/**
 * How SendGrid treats a request, in its order: rate limit, key, address, body, sender, effect, answer. Faults are put
 * between these steps. A mail that comes again is another mail: SendGrid takes no keys.
 */
import { randomBytes } from 'node:crypto';
import { FaultPlan, type ActiveFault } from '../faults';
import type { Handled, SandboxReply, SandboxRequest } from '../http';
import { underFaults } from '../serve';
import * as errors from './errors';
import { complaintsAbout, mailSchema, type Mail } from './mail';

/** A mail that was really taken, once for each of its recipients. */
export interface SentMail {
  messageId: string;
  /** The custom argument `job_id`. */
  jobId: string | undefined;
  to: string;
  from: string;
  subject: string;
  category: string | undefined;
  text: string | undefined;
  html: string | undefined;
}

/** SendGrid's own limit, "total message size should not exceed 30MB". */
const MAX_BYTES = 30 * 1024 * 1024;
/** Senders of this domain were never verified. */
const UNVERIFIED = '@unverified.example';

export class SendGridService {
  readonly faults = new FaultPlan();
  calls = 0;
  readonly #mails: SentMail[] = [];

  /** @param onTaken told of each call's mails */
  constructor(private readonly onTaken: (mails: SentMail[]) => void = () => undefined) {}

  ledger(): SentMail[] {
    return [...this.#mails];
  }

  handle(request: SandboxRequest): Promise<Handled> {
    this.calls += 1;
    const body = parseJson(request.body);
    const metadata = mailSchema.shape.custom_args.safeParse(field(body, 'custom_args')).data ?? {};
    return underFaults(this.faults, request, metadata, (fault) => this.#answer(request, body, fault));
  }

  async #answer(request: SandboxRequest, body: unknown, fault: ActiveFault | undefined): Promise<SandboxReply> {
    if (fault?.kind === 'rate-limit') return errors.rateLimited(fault.retryAfterSeconds);
    if (fault?.kind === 'unavailable') return errors.unavailable();
    if (fault?.kind === 'unauthorized' || !isGoodKey(request.headers.authorization)) return errors.unauthorized();
    if (request.path !== '/v3/mail/send') return errors.notFound();
    if (request.method !== 'POST') return errors.methodNotAllowed();
    if (Buffer.byteLength(request.body) > MAX_BYTES) return errors.tooLarge();
    if (body === undefined) return errors.notJson();
    const mail = mailSchema.safeParse(body);
    if (!mail.success) return errors.refusal(400, complaintsAbout(mail.error));
    if (mail.data.from.email.endsWith(UNVERIFIED)) return errors.unverifiedSender();
    if (fault?.kind === 'bad-request') return errors.refusal(400, [{ message: 'Bad content', field: 'content' }]);
    if (fault?.kind === 'slow') await fault.wait();
    if (fault?.kind === 'fail-before-effect') return errors.serverError();
    const messageId = this.#take(mail.data);
    if (fault?.kind === 'fail-after-effect') return errors.serverError();
    return { status: 202, headers: { 'x-message-id': messageId } };
  }

  #take(mail: Mail): string {
    const messageId = randomBytes(16).toString('base64url');
    const before = this.#mails.length;
    for (const { to, subject, custom_args: own, substitutions = {} } of mail.personalizations) {
      const part = (type: string): string | undefined =>
        substitute(mail.content.find((one) => one.type === type)?.value, substitutions);
      for (const { email } of to) {
        this.#mails.push({
          messageId,
          jobId: own?.['job_id'] ?? mail.custom_args?.['job_id'],
          to: email,
          from: mail.from.email,
          subject: substitute(subject ?? mail.subject, substitutions) ?? '',
          category: mail.categories?.[0],
          text: part('text/plain'),
          html: part('text/html'),
        });
      }
    }
    this.onTaken(this.#mails.slice(before));
    return messageId;
  }
}

/** Puts a recipient's words in place of the marks. */
function substitute(text: string | undefined, words: Record<string, string>): string | undefined {
  return Object.entries(words).reduce((filled, [mark, word]) => filled?.replaceAll(mark, () => word), text);
}

/** Keys for tests begin so; every other one is withdrawn. */
function isGoodKey(authorization: string | undefined): boolean {
  return /^Bearer SG\.test\.[\w-]+$/.test(authorization ?? '');
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
