/**
 * Reads a mail as strictly as SendGrid reads it ("Mail Send", limitations and errors), and says what is wrong with it in
 * SendGrid's form. Only what the service may ever send is known here: a name beyond it is refused, so that a mistake in
 * one shows.
 */
import { z } from 'zod';
import type { Complaint } from './errors';

const address = z.strictObject({
  email: z.email('Does not contain a valid address.'),
  name: z.string().optional(),
});
/** What a client may say once for all recipients, or again for each of them. */
const customArgs = z
  .record(z.string(), z.string())
  .refine((args) => JSON.stringify(args).length <= 10_000, 'The custom arguments must be less than 10000 bytes.');

const personalization = z.strictObject({
  to: z
    .array(address)
    .min(
      1,
      'The to array is required for all personalization objects, and must have at least one email object with a valid email address.',
    ),
  subject: z.string().min(1).optional(),
  custom_args: customArgs.optional(),
  substitutions: z
    .record(z.string(), z.string())
    .refine((values) => JSON.stringify(values).length <= 10_000, 'The substitutions must be less than 10000 bytes.')
    .optional(),
});

const content = z.strictObject({
  type: z.enum(['text/plain', 'text/html']),
  value: z.string().min(1, 'The content value must be a string at least one character in length.'),
});

export const mailSchema = z.strictObject({
  personalizations: z.array(personalization).min(1).max(1000),
  from: address,
  subject: z
    .string()
    .min(
      1,
      'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
    ),
  content: z
    .array(content)
    .refine(
      (parts) => ['text/plain', 'text/html', 'text/plain,text/html'].includes(parts.map(({ type }) => type).join()),
      'If present, text/plain and text/html may only be provided once, and text/plain must come first.',
    ),
  categories: z
    .array(z.string().max(255))
    .max(10)
    .refine((names) => new Set(names).size === names.length, 'The categories must be unique.')
    .optional(),
  custom_args: customArgs.optional(),
});
export type Mail = z.infer<typeof mailSchema>;

/** Everything that SendGrid would complain about, by field. */
export function complaintsAbout(error: z.ZodError): Complaint[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => complaint([...issue.path, key], 'Additional property is not allowed'))
      : [complaint(issue.path, issue.message)],
  );
}

function complaint(path: PropertyKey[], message: string): Complaint {
  return { message, field: path.length === 0 ? null : path.map(String).join('.') };
}
