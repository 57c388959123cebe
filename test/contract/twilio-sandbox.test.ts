/** The sandbox itself: what other tests and processes rely on when they use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER } from '../support/sandbox/twilio/emulator';
import { startTwilioSandbox, type TwilioSandbox } from '../support/sandbox/twilio/sandbox';
import { TO } from '../support/sandbox/twilio/sending';

/** A message sent without the adapter, as another client of Twilio would send it. */
async function post(url: string, message: Record<string, string>, token = AUTH_TOKEN) {
  const response = await fetch(`${url}/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${ACCOUNT_SID}:${token}`).toString('base64')}` },
    body: new URLSearchParams(message),
  });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

const sound = { To: TO, From: OUR_NUMBER, Body: 'Two tickets' };

let sandbox: TwilioSandbox;
beforeAll(async () => {
  sandbox = await startTwilioSandbox();
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox?.close());

it.each<[string, Record<string, string>, number]>([
  ['no recipient', { To: '' }, 21604],
  ['a recipient that is no number', { To: '5558675310' }, 21211],
  ['an empty text', { Body: '' }, 21602],
  ['a text without end', { Body: 'x'.repeat(1_601) }, 21617],
  ['a sender that is not ours', { From: '+15005550007' }, 21606],
])('a message is refused as Twilio refuses it: %s', async (_, changes, code) => {
  expect(await post(sandbox.url, { ...sound, ...changes })).toMatchObject({ status: 400, body: { code, status: 400 } });
  expect(sandbox.ledger()).toEqual([]);
});

it('a token that is not ours is refused', async () => {
  expect(await post(sandbox.url, sound, 'other')).toMatchObject({ status: 401, body: { code: 20003 } });
});

it('a fault strikes the messages to one number alone', async () => {
  const fault = sandbox.fault({ kind: 'unavailable', match: { metadata: { To: '+15558675311' } } });

  expect((await post(sandbox.url, sound)).status).toBe(201);
  expect((await post(sandbox.url, { ...sound, To: '+15558675311' })).status).toBe(503);
  expect(fault.hits()).toBe(1);
});

it('other processes read the ledger and set faults over HTTP', async () => {
  const control = (method: string, path: string, body?: string) =>
    fetch(`${sandbox.url}/_sandbox/${path}`, { method, ...(body === undefined ? {} : { body }) });

  expect((await control('POST', 'faults', '{"kind":"rate-limit","times":2}')).status).toBe(201);
  expect(await post(sandbox.url, sound)).toMatchObject({ status: 429, body: { code: 20429 } });
  expect((await control('DELETE', 'faults')).status).toBe(200);
  await post(sandbox.url, sound);

  const ledger: unknown = await (await control('GET', 'ledger')).json();
  expect(ledger).toMatchObject({ texts: [{ to: TO, from: OUR_NUMBER, body: 'Two tickets' }], calls: 2 });
});

it('runs as a process of its own', async () => {
  const main = path.join(__dirname, '../support/sandbox/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--twilio', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(createInterface(child.stdout), 'line');
  const { provider, url } = z.object({ provider: z.string(), url: z.url() }).parse(JSON.parse(String(line)));

  expect(provider).toBe('twilio');
  expect((await post(url, sound)).status).toBe(201);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
