/** Answers that no provider gives: whether anything happened is unknown. */
import { createSquareAdapter, type SquareCharge } from '../../src/providers/square/adapter';
import { ACCESS_TOKEN, chargeRequest } from '../support/sandbox/square/paying';
import { effectCall } from '../support/sandbox/stripe/charging';
import { StrangeServers } from '../support/strange-servers';

const servers = new StrangeServers();
afterEach(() => servers.close());

describe('an answer that is none', () => {
  it.each([
    [200, '{"payment":{"id":"p1"}}'],
    [200, '{"status":"ok"}'],
    [200, '"ok"'],
    [200, 'null'],
    [200, '[]'],
    [200, '<html>maintenance</html>'],
    [404, '{"detail":"Not found"}'],
    [404, '<html>nothing here</html>'],
    [503, '{}'],
    [302, ''],
  ])('status %i with %s is unknown', async (status, body) => {
    const apiBase = await servers.answering((_, response) => response.writeHead(status, { location: '/x' }).end(body));
    const other = createSquareAdapter({ accessToken: ACCESS_TOKEN, apiBase });

    expect(await other.charge(chargeRequest(), effectCall<SquareCharge>('key-1'))).toMatchObject({ kind: 'unknown' });
    expect(await other.findCharge('key-1', 0, effectCall('key-1'))).toMatchObject({ kind: 'unknown' });
    expect(await other.findRefund('key-1', 0, effectCall('key-1'))).toMatchObject({ kind: 'unknown' });
  });
});
