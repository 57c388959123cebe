/** The real adapter and SDK against servers that answer as FCM never would, or not at all. */
import type http from 'node:http';
import type { FcmAdapter } from '../../src/providers/fcm/adapter';
import { adapterFor, pushCall, pushMessage } from '../support/sandbox/fcm/sending';
import { StrangeServers } from '../support/strange-servers';

const servers = new StrangeServers();
afterEach(() => servers.close());

const TOKEN = JSON.stringify({ access_token: 'given', expires_in: 3_600 });

/** Gives out tokens, and answers everything else so. */
async function answering(listener: http.RequestListener): Promise<FcmAdapter> {
  const url = await servers.answering((request, response) => {
    if (request.url === '/token') response.writeHead(200).end(TOKEN);
    else listener(request, response);
  });
  return adapterFor(url);
}

describe('an answer that is none', () => {
  it.each<[string, number, string]>([
    ['UNREADABLE_ANSWER', 200, '{}'],
    ['UNREADABLE_ANSWER', 200, '{"name":"a message"}'],
    ['HTTP_200', 200, '<html>log in</html>'],
    ['HTTP_408', 408, ''],
    ['HTTP_502', 502, '<html>bad gateway</html>'],
  ])('is %s: status %i and %s', async (code, status, body) => {
    const other = await answering((_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    );

    expect(await other.send('device-1', pushMessage(), pushCall())).toMatchObject({ kind: 'unknown', code });
  });

  it('is a no all the same when its status says so', async () => {
    const other = await answering((_, response) => response.writeHead(400).end('<html>device-1</html>'));
    const answer = await other.send('device-1', pushMessage(), pushCall());

    expect(answer).toMatchObject({ kind: 'declined', code: 'PUSH_REFUSED' });
    expect(JSON.stringify(answer)).not.toContain('device-1');
  });

  it('takes the token nowhere else: a redirect is not followed', async () => {
    let followed = 0;
    const location = await servers.answering((_, response) => {
      followed += 1;
      response.writeHead(200).end('{}');
    });
    const other = await answering((_, response) => response.writeHead(307, { location }).end());

    expect(await other.send('device-1', pushMessage(), pushCall())).toMatchObject({
      kind: 'unknown',
      code: 'HTTP_307',
    });
    expect(followed).toBe(0);
  });

  it('is not read beyond what an answer can be', async () => {
    const other = await answering((_, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(more));
    });

    expect(await other.send('device-1', pushMessage(), pushCall({ timeoutMs: 60_000 }))).toMatchObject({
      kind: 'unknown',
      code: 'ANSWER_TOO_LONG',
    });
  });

  it('that never ends is cut off, although bytes keep coming', async () => {
    const other = await answering((_, response) => {
      response.writeHead(200);
      const dripping = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(dripping));
    });

    expect(await other.send('device-1', pushMessage(), pushCall({ timeoutMs: 300 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
    });
  });
});

it.each([
  ['no JSON', 200, 'a token'],
  ['no token', 200, '{"expires_in":3600}'],
  ['a fault', 500, ''],
])('where %s is given for an account, nothing is sent', async (_, status, body) => {
  const url = await servers.answering((_request, response) => response.writeHead(status).end(body));

  expect(await adapterFor(url).send('device-1', pushMessage(), pushCall())).toMatchObject({
    kind: 'refused',
    code: 'FCM_TOKEN_UNAVAILABLE',
  });
});

it('nobody listens: certainly nothing was sent', async () => {
  const url = await servers.answering((_, response) => response.writeHead(200).end(TOKEN));
  const tokenUri = `${url}/token`;

  expect(
    await adapterFor('http://127.0.0.1:9', { tokenUri }).send('device-1', pushMessage(), pushCall()),
  ).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED', trouble: 'down' });
});
