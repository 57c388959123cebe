/** What holds for every answer, and for the connections that they come on. */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Config } from '../../../src/config';
import type { Service } from '../../../src/service';
import { addressOf, ApiClient } from '../../support/api-client';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
const issuer = new TokenIssuer();
const token = () => issuer.token('service');
const canary = () => ({ type: 'canary-money', data: { n: 1, note: randomUUID() } });

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

const start = (overrides = {}, tune?: (config: Config) => Config, roles = 'api'): Promise<Service> =>
  harness.startService(overrides, tune, { ROLES: roles, JWT_PUBLIC_KEY: issuer.publicKey });

/** Sends bytes as they are and reads until the server closes. */
async function exchange(service: Service, bytes: string): Promise<string> {
  const socket = connect({ port: service.http.port() ?? 0, host: '127.0.0.1' });
  socket.write(bytes);
  return text(socket);
}

/** Sends a body of which nobody says how long it will be. */
function postInChunks(service: Service, chunks: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${addressOf(service)}/api/v1/queue/jobs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
    });
    request.on('response', (response) => resolve(response.resume().statusCode ?? 0));
    request.on('error', reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

describe('every answer', () => {
  it("carries the caller's request id where it is well formed, else one of its own", async () => {
    const api = new ApiClient(addressOf(await start()));
    const idFor = async (id: string, path = '/health/live') =>
      (await api.get(path, { headers: { 'X-Request-ID': id } })).headers.get('x-request-id');
    expect(await idFor('order-981/2')).toBe('order-981/2');
    expect(await idFor('order-981/2', '/nowhere')).toBe('order-981/2');
    for (const bad of ['', 'two words', 'x'.repeat(129), 'é']) {
      expect(await idFor(bad)).toMatch(/^[0-9a-f-]{36}$/);
    }
    const { body, headers } = await api.get('/nowhere');
    expect(body).toMatchObject({ code: 'NOT_FOUND', requestId: headers.get('x-request-id') });
  });

  it('tells nothing of what made it, and is kept by nobody', async () => {
    const { headers } = await new ApiClient(addressOf(await start())).get('/health/live');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('etag')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).not.toBeNull();
  });

  it('is measured, under names of which there is a bounded number', async () => {
    const service = await start();
    const api = new ApiClient(addressOf(service));
    await api.get(`/jobs/${randomUUID()}`, { token: token() });
    await api.get(`/${randomUUID()}`);
    await api.call('PURGE', '/health', {});
    await api.call('OPTIONS', '/jobs', {});
    const lines = async () => (await service.metrics.registry.metrics()).split('\n');
    const counted = async () =>
      (await lines())
        .filter((line) => line.startsWith('http_request_duration_seconds_count'))
        .map((line) => line.replace(/^[^{]*/, ''));
    await eventually('all are counted', async () => (await counted()).length === 4);
    expect((await counted()).toSorted()).toEqual([
      '{method="GET",route="/api/v1/queue/jobs/:id",status="404"} 1',
      '{method="GET",route="unmatched",status="404"} 1',
      '{method="OPTIONS",route="unmatched",status="404"} 1',
      '{method="other",route="unmatched",status="404"} 1',
    ]);
    expect(await lines()).toContain('http_refusals_total{code="NOT_FOUND"} 4');
  });
});

describe('what is no request', () => {
  it.each([
    ['text that is not HTTP', 'hello\r\n\r\n', 400, 'UNREADABLE'],
    ['headers without end', `GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}`, 431, 'HEADERS_TOO_LARGE'],
  ])('%s, is answered in the form of all refusals', async (_, bytes, status, code) => {
    const service = await start();
    const answer = await exchange(service, bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const requestId = /^X-Request-ID: (.+)$/m.exec(head)?.[1]?.trim();
    expect(JSON.parse(body)).toEqual({ error: expect.any(String), code, requestId, details: [] });
    expect(await service.metrics.registry.metrics()).toContain(`http_refusals_total{code="${code}"} 1`);
  });

  it.each([
    ['headers', 'GET /api/v1/queue/health HTTP/1.1\r\nHost: a\r\n'],
    [
      'a body',
      'POST /api/v1/queue/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
        `Content-Length: 100\r\nAuthorization: Bearer ${token()}\r\n\r\n{`,
    ],
  ])('whoever sends %s too slowly is told so, and let go', async (_, bytes) => {
    const hasty = (config: Config): Config => ({
      ...config,
      http: { ...config.http, requestTimeoutMs: 200, headersTimeoutMs: 200 },
    });
    expect(await exchange(await start({}, hasty), bytes)).toMatch(/^HTTP\/1.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
  });

  it('a body of more than 1 MiB of which nobody said how long it is, is refused with 413', async () => {
    const service = await start();
    expect(
      await postInChunks(
        service,
        Array.from({ length: 17 }, () => 'x'.repeat(65_536)),
      ),
    ).toBe(413);
  });
});

describe('a process that stops', () => {
  it('is not ready, lives and is scraped until what runs is done, and takes no jobs', async () => {
    const running = gate();
    const finish = gate();
    const hold = around({
      'call provider': async (run) => {
        running.open();
        await finish.opened;
        return run();
      },
    });
    const service = await start({ decorate: hold }, undefined, 'api,consumer,worker,relay,scheduler');
    const api = new ApiClient(addressOf(service));
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    await running.opened;
    const stopped = service.stop();

    const { status, headers } = await api.get('/health/ready');
    expect({ status, connection: headers.get('connection') }).toEqual({ status: 503, connection: 'close' });
    expect((await api.get('/health/live')).status).toBe(200);
    expect((await api.get('/metrics/prometheus', { token: issuer.token('monitoring') })).status).toBe(200);
    const refused = await api.post('/jobs', { token: token(), json: canary() });
    expect(refused).toMatchObject({ status: 503, body: { code: 'NOT_RUNNING' } });
    finish.open();
    await stopped;
    await expect(api.get('/health/live')).rejects.toThrow('fetch failed');
    await harness.bus.outcomeOf(id, 'completed');
  });

  it('answers the requests that it has let in', async () => {
    const claiming = gate();
    const proceed = gate();
    const hold = around({
      claim: async (run) => {
        claiming.open();
        await proceed.opened;
        return run();
      },
    });
    const service = await start({ decorate: hold });
    const answer = new ApiClient(addressOf(service)).post('/jobs', { token: token(), json: canary() });
    await claiming.opened;
    const stopped = service.stop();
    proceed.open();
    expect((await answer).status).toBe(201);
    await stopped;
  });

  it('does not wait for connections that nobody uses', async () => {
    const service = await start();
    const agent = new http.Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      http
        .get(`${addressOf(service)}/api/v1/queue/health/live`, { agent }, (response) =>
          response.resume().on('end', resolve),
        )
        .on('error', reject);
    });
    await service.stop();
    await eventually('the connection is gone', () => Object.keys(agent.freeSockets).length === 0);
  });
});

it('a port that is taken ends the start', async () => {
  const first = await start();
  const port = String(first.http.port());
  await expect(harness.startService({}, undefined, { PORT: port, ROLES: 'api' })).rejects.toThrow('EADDRINUSE');
});
