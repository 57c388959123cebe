import { z } from 'zod';
import { canonicalJson } from '../platform/canonical-json';
import { sha256 } from '../platform/ids';
import {
  eventCancelled,
  eventReminder,
  line,
  orderReceipt,
  payoutSent,
  refundReceipt,
  reminderRecipient,
  reportReady,
} from './email-templates';
import { defineJobType } from './job-type';

/** RFC 5321, 4.5.3.1.3: a path is at most 256 octets, two of which are its brackets. */
const MAX_ADDRESS = 254;
/** SendGrid's limit of personalizations in one call. */
const MAX_RECIPIENTS = 1_000;

const address = z.email().max(MAX_ADDRESS);

/** What every mail may say about itself, whatever its template. */
const common = {
  /** Instead of the template's own. */
  subject: line(200).optional(),
  /** The sender is configured; another one is refused when the mail is to be sent. */
  from: address.optional(),
};

/** A mail to one address. */
const single = { ...common, to: address };

/** The same mail to one address, or to many in one call, with a few words for each. */
const reminder = z
  .strictObject({
    ...common,
    to: address.optional(),
    recipients: z
      .array(z.strictObject({ to: address, ...reminderRecipient }))
      .min(1)
      .max(MAX_RECIPIENTS)
      .refine((all) => new Set(all.map(({ to }) => to.toLowerCase())).size === all.length, 'has an address twice')
      .optional(),
    template: z.literal('event-reminder'),
    data: eventReminder,
  })
  .refine(({ to, recipients }) => (to === undefined) !== (recipients === undefined), {
    path: ['to'],
    error: 'must be given, or else recipients, and not both',
  });

/** A mail by its template, which says what data it needs: whatever is missing is found here and not when it is sent. */
const payload = z.discriminatedUnion('template', [
  z.strictObject({ ...single, template: z.literal('order-receipt'), data: orderReceipt }),
  z.strictObject({ ...single, template: z.literal('refund-receipt'), data: refundReceipt }),
  reminder,
  z.strictObject({ ...single, template: z.literal('event-cancelled'), data: eventCancelled }),
  z.strictObject({ ...single, template: z.literal('payout-sent'), data: payoutSent }),
  z.strictObject({ ...single, template: z.literal('report-ready'), data: reportReady }),
]);

const result = z.strictObject({
  /** SendGrid's, for all recipients of the call. */
  messageId: z.string(),
  /** Absent where there were several. */
  to: z.string().exactOptional(),
  template: z.string(),
  /** How many it was sent to. */
  recipients: z.int(),
  /** How many it was not sent to, since they are on the suppression list. */
  suppressed: z.int(),
  sentAt: z.iso.datetime(),
});

export type EmailPayload = z.infer<typeof payload>;
export type EmailTemplate = EmailPayload['template'];

/** Sends one mail to one address, or a reminder to up to a thousand. */
export const sendEmail = defineJobType({
  name: 'send-email',
  queue: 'communication',
  priority: 5,
  concurrency: 20,
  timeoutMs: 15_000,
  uses: 'sendgrid-transactional',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // The same mail twice on one day is one mail.
  defaultKey: (mail, { time }) => {
    const date = time.toISOString().slice(0, 10);
    const to = mail.template === 'event-reminder' && mail.recipients ? digest(mail.recipients) : mail.to;
    return `email-${mail.template}-${to}-${date}-${digest(mail.data)}`;
  },
});

function digest(value: unknown): string {
  return sha256(canonicalJson(value)).slice(0, 16);
}
