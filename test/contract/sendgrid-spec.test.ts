/** Holds the sandbox and the adapter to what SendGrid itself publishes: its OpenAPI document of Mail Send. */
import { createSendGridAdapter } from '../../src/providers/sendgrid/adapter';
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import { startSendGridSandbox, type SendGridExchange, type SendGridSandbox } from '../support/sandbox/sendgrid/sandbox';
import { API_KEY, mail, post, sendCall, to } from '../support/sandbox/sendgrid/sending';
import { SendGridSpec } from '../support/sandbox/sendgrid/spec';

const files = readProviderSpecs('sendgrid/tsg_mail_v3.json');

const sound = {
  personalizations: [{ to: [{ email: 'jane@example.com' }] }],
  from: { email: 'tickets@example.com' },
  subject: 'Your order',
  content: [{ type: 'text/plain', value: 'Two tickets' }],
};

(files ? describe : describe.skip)("SendGrid's OpenAPI document", () => {
  let sandbox: SendGridSandbox;
  let exchanges: SendGridExchange[];
  let spec: SendGridSpec;
  beforeAll(() => {
    spec = new SendGridSpec(files?.['sendgrid/tsg_mail_v3.json']);
  });
  beforeEach(async () => {
    exchanges = [];
    sandbox = await startSendGridSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
  });
  afterEach(() => sandbox.close());

  it.each([
    ['a mail', mail()],
    [
      'a mail to many',
      mail({ recipients: [to('a@example.com', { '%m%': 'A' }), to('b@example.com', { '%m%': 'B' })] }),
    ],
    ['a sender without a name', mail({ from: { email: 'tickets@example.com' } })],
  ])('knows what the adapter sends: %s', async (_, sent) => {
    const sendgrid = createSendGridAdapter({ apiKey: API_KEY, apiBase: sandbox.url });
    await sendgrid.send(sent, sendCall());

    expect(exchanges).toMatchObject([{ request: { method: 'POST', path: '/v3/mail/send' }, reply: { status: 202 } }]);
    expect(spec.checkMail(JSON.parse(exchanges[0]?.request.body ?? ''))).toEqual([]);
  });

  it('knows the form of every error', async () => {
    for (const kind of ['unauthorized', 'bad-request', 'fail-before-effect', 'rate-limit'] as const) {
      sandbox.fault({ kind });
      expect(spec.checkError(withoutNulls((await post(sandbox.url, sound)).body))).toEqual([]);
    }
  });

  it.each<[string, object]>([
    ['a mail', {}],
    ['no sender', { from: undefined }],
    ['no personalizations', { personalizations: undefined }],
    ['a personalization without recipients', { personalizations: [{}] }],
    ['an empty subject', { subject: '' }],
    ['a subject that is no text', { subject: 7 }],
    ['an empty part', { content: [{ type: 'text/plain', value: '' }] }],
    ['a part without a type', { content: [{ value: 'a' }] }],
    ['categories', { categories: ['a', 'b'] }],
    ['the same category twice', { categories: ['a', 'a'] }],
    ['more than ten categories', { categories: Array.from({ length: 11 }, (_, index) => `c${index}`) }],
    ['a category that is too long', { categories: ['x'.repeat(256)] }],
    ['custom arguments', { custom_args: { job_id: 'j' } }],
    ['words for marks', { personalizations: [{ to: [{ email: 'a@example.com' }], substitutions: { m: 'w' } }] }],
    ['words that are no text', { personalizations: [{ to: [{ email: 'a@example.com' }], substitutions: { m: 7 } }] }],
    ['custom arguments that are no text', { custom_args: { job_id: 7 } }],
  ])('and the sandbox are equally strict about %s', async (_, changes) => {
    const body: unknown = JSON.parse(JSON.stringify({ ...sound, ...changes }));
    const { status } = await post(sandbox.url, body);

    expect(status === 202).toBe(spec.checkMail(body).length === 0);
  });
});

/** `help` is null in SendGrid's examples, and an object in its schema. */
function withoutNulls(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body, (_, value: unknown) => value ?? undefined));
}
