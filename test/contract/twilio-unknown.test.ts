/** The real adapter and SDK against servers that answer as Twilio never would, or not at all. */
import type http from 'node:http';
import type { TwilioAdapter } from '../../src/providers/twilio/adapter';
import { adapterFor, justNow, textCall, textMessage } from '../support/sandbox/twilio/sending';
import { StrangeServers } from '../support/strange-servers';

const servers = new StrangeServers();
afterEach(() => servers.close());

describe('an answer that is none', () => {
  const answering = async (listener: http.RequestListener): Promise<TwilioAdapter> =>
    adapterFor(await servers.answering(listener));
  const sid = `SM${'0'.repeat(32)}`;

  it.each<[string, number, string]>([
    ['UNREADABLE_ANSWER', 200, '{}'],
    ['UNREADABLE_ANSWER', 201, `{"sid":"${sid.slice(1)}","status":"queued"}`],
    ['UNEXPECTED_ERROR', 200, '<html>log in</html>'],
    ['UNEXPECTED_ERROR', 201, ''],
    ['HTTP_408', 408, ''],
    ['HTTP_502', 502, '<html>bad gateway</html>'],
  ])('is %s: status %i and %s', async (code, status, body) => {
    const other = await answering((_, response) => response.writeHead(status).end(body));

    expect(await other.send(textMessage(), textCall())).toMatchObject({ kind: 'unknown', code });
  });

  it.each([['{"messages":{}}'], ['{"messages":[{}]}'], ['<html>log in</html>']])(
    'is none to a question either: %s',
    async (body) => {
      const other = await answering((_, response) => response.writeHead(200).end(body));

      expect(await other.find(textMessage(), justNow(), textCall())).toMatchObject({ kind: 'unknown' });
    },
  );

  it('is a no all the same when its status says so', async () => {
    const other = await answering((_request, response) => response.writeHead(400).end('<html>+15558675310</html>'));

    expect(await other.send(textMessage(), textCall())).toEqual({
      kind: 'declined',
      code: 'SMS_REFUSED',
      message: 'Twilio refuses the message (status 400)',
    });
  });

  it.each([
    [30_007, 'TEXT_REFUSED'],
    [30_005, 'INVALID_NUMBER'],
    [30_008, 'SMS_REFUSED'],
  ])('is a no when the message was given up at once, with code %i', async (code, meaning) => {
    const body = JSON.stringify({ sid, status: 'failed', error_code: code });
    const other = await answering((_, response) => response.writeHead(201).end(body));

    expect(await other.send(textMessage(), textCall())).toMatchObject({ kind: 'declined', code: meaning });
  });

  it('takes the token nowhere else: a redirect is not followed', async () => {
    let followed = 0;
    const location = await servers.answering((_, response) => {
      followed += 1;
      response.writeHead(201).end('{}');
    });
    const other = await answering((_, response) => response.writeHead(307, { location }).end());

    expect(await other.send(textMessage(), textCall())).toMatchObject({ kind: 'unknown', code: 'HTTP_307' });
    expect(followed).toBe(0);
  });

  it('is not read beyond what an answer can be', async () => {
    const other = await answering((_, response) => response.writeHead(201).end('x'.repeat(3 * 1024 * 1024)));

    expect(await other.send(textMessage(), textCall())).toMatchObject({ kind: 'unknown', code: 'ERR_BAD_RESPONSE' });
  });

  it('that never ends is cut off, although bytes keep coming', async () => {
    const other = await answering((_, response) => {
      response.writeHead(201);
      const dripping = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(dripping));
    });

    expect(await other.send(textMessage(), textCall({ timeoutMs: 100 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
    });
  });
});

it('nobody listens: certainly nothing was sent', async () => {
  const url = await servers.answering(() => undefined);
  servers.close();

  expect(await adapterFor(url).send(textMessage(), textCall())).toMatchObject({
    kind: 'refused',
    code: 'ECONNREFUSED',
  });
});
