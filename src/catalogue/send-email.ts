import { z } from 'zod';
import { canonicalJson } from '../platform/canonical-json';
import { sha256 } from '../platform/ids';
import { line, orderReceipt } from './email-templates';
import { defineJobType } from './job-type';

/** RFC 5321, 4.5.3.1.3: a path is at most 256 octets, two of which are its brackets. */
const MAX_ADDRESS = 254;

const address = z.email().max(MAX_ADDRESS);

/** What every mail may say about itself, whatever its template. */
const common = {
  to: address,
  /** Instead of the template's own. */
  subject: line(200).optional(),
  /** The sender is configured; another one is refused when the mail is to be sent. */
  from: address.optional(),
};

/** A mail by its template, which says what data it needs: whatever is missing is found here and not when it is sent. */
const payload = z.discriminatedUnion('template', [
  z.strictObject({ ...common, template: z.literal('order-receipt'), data: orderReceipt }),
]);

const result = z.strictObject({
  /** SendGrid's. */
  messageId: z.string(),
  to: z.string(),
  template: z.string(),
  sentAt: z.iso.datetime(),
});

export type EmailPayload = z.infer<typeof payload>;

/** Sends one mail to one address. */
export const sendEmail = defineJobType({
  name: 'send-email',
  queue: 'communication',
  priority: 5,
  concurrency: 20,
  timeoutMs: 15_000,
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // The same mail twice on one day is one mail.
  defaultKey: ({ template, to, data }, { time }) => {
    const date = time.toISOString().slice(0, 10);
    return `email-${template}-${to}-${date}-${sha256(canonicalJson(data)).slice(0, 16)}`;
  },
});
