/** The sandbox itself: what other tests and processes rely on when they use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { API_KEY, post } from '../support/sandbox/sendgrid/sending';
import { startSendGridSandbox, type SendGridSandbox } from '../support/sandbox/sendgrid/sandbox';

const to = (email: string) => ({ to: [{ email }] });
const sound = {
  personalizations: [to('jane@example.com')],
  from: { email: 'tickets@example.com' },
  subject: 'Your order',
  content: [{ type: 'text/plain', value: 'Two tickets' }],
  custom_args: { job_id: 'job-1' },
};

let sandbox: SendGridSandbox;
beforeEach(async () => {
  sandbox = await startSendGridSandbox();
});
afterEach(() => sandbox.close());

describe('a mail is read as strictly as SendGrid reads it', () => {
  it.each<[string, object, string]>([
    ['no recipients', { personalizations: [] }, 'personalizations'],
    ['a recipient that is no address', { personalizations: [to('jane')] }, 'personalizations.0.to.0.email'],
    ['no sender', { from: undefined }, 'from'],
    ['an empty subject', { subject: '' }, 'subject'],
    ['an empty part', { content: [{ type: 'text/plain', value: '' }] }, 'content.0.value'],
    ['no parts', { content: [] }, 'content'],
    [
      'the text after the HTML',
      {
        content: [
          { type: 'text/html', value: 'a' },
          { type: 'text/plain', value: 'a' },
        ],
      },
      'content',
    ],
    ['the same category twice', { categories: ['a', 'a'] }, 'categories'],
    ['arguments that are no text', { custom_args: { job_id: 7 } }, 'custom_args.job_id'],
    ['arguments without end', { custom_args: { job_id: 'x'.repeat(10_000) } }, 'custom_args'],
    [
      'words without end',
      { personalizations: [{ ...to('a@example.com'), substitutions: { m: 'x'.repeat(10_000) } }] },
      'personalizations.0.substitutions',
    ],
    ['a name that SendGrid does not know', { colour: 'red' }, 'colour'],
  ])('%s', async (_, changes, field) => {
    const { status, body } = await post(sandbox.url, { ...sound, ...changes });

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ field }] });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('after key and address', async () => {
    expect((await post(sandbox.url, sound, { key: 'SG.other.key' })).status).toBe(401);
    expect((await post(sandbox.url, sound, { path: '/v3/mail/batch' })).status).toBe(404);
    expect((await post(sandbox.url, sound, { method: 'GET' })).status).toBe(405);
    expect((await post(sandbox.url, '{')).status).toBe(400);
    expect(sandbox.ledger()).toEqual([]);
  });
});

it('each recipient of a mail has a line in the ledger, and a mail one id', async () => {
  const { headers } = await post(sandbox.url, {
    ...sound,
    subject: 'Your %m%',
    personalizations: [
      { ...to('a@example.com'), substitutions: { '%m%': 'order' } },
      { ...to('b@example.com'), subject: 'Another', custom_args: { job_id: 'job-2' }, substitutions: { Two: '2' } },
    ],
  });

  const messageId = headers.get('x-message-id');
  expect(sandbox.ledger()).toMatchObject([
    { messageId, to: 'a@example.com', subject: 'Your order', jobId: 'job-1', html: undefined },
    { messageId, to: 'b@example.com', subject: 'Another', jobId: 'job-2', text: '2 tickets' },
  ]);
});

it('a fault strikes the mails of one job alone', async () => {
  const fault = sandbox.fault({ kind: 'bad-request', match: { metadata: { job_id: 'job-2' } } });

  expect((await post(sandbox.url, sound)).status).toBe(202);
  expect((await post(sandbox.url, { ...sound, custom_args: { job_id: 'job-2' } })).status).toBe(400);
  expect(fault.hits()).toBe(1);
});

it('other processes read the ledger and set faults over HTTP', async () => {
  const control = (method: string, path: string, body?: string) =>
    fetch(`${sandbox.url}/_sandbox/${path}`, { method, ...(body === undefined ? {} : { body }) });

  expect((await control('POST', 'faults', '{"kind":"rate-limit","times":2}')).status).toBe(201);
  expect((await post(sandbox.url, sound)).headers.get('x-ratelimit-remaining')).toBe('0');
  expect((await control('DELETE', 'faults')).status).toBe(200);
  await post(sandbox.url, sound);

  const ledger: unknown = await (await control('GET', 'ledger')).json();
  expect(ledger).toMatchObject({ mails: [{ to: 'jane@example.com' }], calls: 2 });
  expect((await control('POST', 'keys/expire')).status).toBe(404);
});

it('runs as a process of its own, beside the other providers', async () => {
  const main = path.join(__dirname, '../support/sandbox/main.ts');
  const args = ['--import', 'tsx', main, '--stripe', '0', '--sendgrid', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const announced: { provider: string; url: string }[] = [];
  for await (const line of createInterface(child.stdout)) {
    announced.push(z.object({ provider: z.string(), url: z.url() }).parse(JSON.parse(line)));
    if (announced.length === 2) break;
  }

  expect(announced.map(({ provider }) => provider)).toEqual(['stripe', 'sendgrid']);
  expect((await post(announced[1]?.url ?? '', sound, { key: API_KEY })).status).toBe(202);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
