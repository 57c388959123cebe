import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../../src/config';
import { VARIABLE_NAMES } from '../../../src/config/environment';
import { PERSISTENCE } from '../../../tools/services/redis';
import { interpolate, readCompose, readSandboxVariables, type ComposeService } from '../../support/compose';
import { EventKey, SANDBOX_SEED } from '../../support/sandbox/sendgrid/events';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';
import { fcmVariables } from '../../support/sandbox/fcm/sending';
import { twilioVariables } from '../../support/sandbox/twilio/sending';
import { SANDBOX_STRIPE_SECRET } from '../../support/sandbox/webhooks';
import { commandOf, stageOf } from '../../support/dockerfile';

const ROOT = path.join(__dirname, '../../..');
const { services, volumes } = readCompose();
const named = Object.entries(services).map(([name, service]) => ({ name, service }));
const ours = services['queue-service'];
const operators = {
  POSTGRES_PASSWORD: 'p1',
  RABBITMQ_PASSWORD: 'p2',
  IDEMPOTENCY_KEY_SECRET: '0123456789abcdef0123456789abcdef',
};

function environmentOf(service: ComposeService | undefined, variables: Record<string, string>): Record<string, string> {
  const entries = Object.entries(service?.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, interpolate(value, variables)]));
}

describe('docker-compose.yml', () => {
  it.each(named)('pins the image of $name', ({ service: { image } }) => {
    expect(image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  it.each(named)('lets $name wait only for what can say that it is ready', ({ service }) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const other = services[name];
      const ends = other?.restart === 'no';
      expect([name, condition]).toEqual([name, ends ? 'service_completed_successfully' : 'service_healthy']);
      if (!ends) expect(other?.healthcheck).toHaveProperty('test.0', 'CMD');
      // What a profile leaves out cannot be waited for.
      expect(other?.profiles).toBeUndefined();
    }
  });

  it('keeps on a volume whatever must not be lost, and knows every volume', () => {
    const kept = named.flatMap(({ name, service }) =>
      (service.volumes ?? []).map((volume) => [name, volume.split(':')[0] ?? '']),
    );
    expect(kept.map(([name]) => name)).toEqual(['postgres', 'redis-money', 'redis-communication', 'rabbitmq']);
    expect(kept.map(([, volume]) => volume)).toEqual(Object.keys(volumes));
  });

  it.each(Object.entries(PERSISTENCE))('lets %s lose what the Redis of the tests may lose', (name, persistence) => {
    const settings = (services[name]?.command ?? [])
      .slice(1)
      .join(' ')
      .split(/(?:^| )--/)
      .slice(1);
    const wanted = [...persistence, 'maxmemory 512mb', 'maxmemory-policy noeviction'].map((line) =>
      line.replace('""', ''),
    );
    expect(settings.toSorted()).toEqual(wanted.toSorted());
  });

  it('sets no variable that the service does not know, and all that it cannot do without', () => {
    expect(VARIABLE_NAMES).toEqual(expect.arrayContaining(Object.keys(ours?.environment ?? {})));
    expect(loadConfig(environmentOf(ours, operators)).stripe).toBeUndefined();
    const withStripe = environmentOf(ours, { ...operators, STRIPE_SECRET_KEY: 'sk_live_of_the_operator' });
    expect(loadConfig(withStripe).stripe).toEqual({ secretKey: 'sk_live_of_the_operator' });
  });

  it.each(Object.keys(operators))('does not start without %s', (missing) => {
    const rest = Object.fromEntries(Object.entries(operators).filter(([name]) => name !== missing));
    expect(() => named.map(({ service }) => environmentOf(service, rest))).toThrow(missing);
  });

  it('names no server that is not there, and gives it the password that it expects', () => {
    const environment = environmentOf(ours, readSandboxVariables());
    const urls = Object.values(environment).filter((value) => /^\w+:\/\//.test(value));
    expect(urls.length).toBeGreaterThanOrEqual(7);
    for (const url of urls) expect(Object.keys(services)).toContain(new URL(url).hostname);
    const password = (name: string) => new URL(environment[name] ?? '').password;
    expect(password('DATABASE_URL')).toBe(
      environmentOf(services['postgres'], readSandboxVariables())['POSTGRES_PASSWORD'],
    );
    for (const name of ['AMQP_URL', 'RABBITMQ_MANAGEMENT_URL']) {
      expect(password(name)).toBe(environmentOf(services['rabbitmq'], readSandboxVariables())['RABBITMQ_DEFAULT_PASS']);
    }
  });

  it('stops the service only after the time that it takes to drain', () => {
    const grace = Number(/^(\d+)s$/.exec(ours?.stop_grace_period ?? '')?.[1]) * 1_000;
    expect(grace).toBeGreaterThan(loadConfig(environmentOf(ours, operators)).shutdownTimeoutMs);
  });

  it('runs what is built: the program, and the migrations', () => {
    expect(ours?.build?.target).toBe('service');
    expect(ours?.command).toBeUndefined();
    expect(services['migrate']?.command).toEqual(['node', 'dist/migrate.js']);
    expect(existsSync(path.join(ROOT, 'src/migrate.ts'))).toBe(true);
    expect(services['migrate']?.environment).toEqual(ours?.environment);
  });
});

describe('sandbox.env', () => {
  const variables = readSandboxVariables();

  it('brings the stand-ins up, and leads every provider to them', () => {
    expect(variables['COMPOSE_PROFILES']).toBe('sandbox');
    expect(services['sandbox']?.profiles).toEqual(['sandbox']);
    const command = commandOf(stageOf(services['sandbox']?.build?.target ?? ''), 'CMD');
    const environment = environmentOf(ours, variables);
    const bases = VARIABLE_NAMES.filter((name) => name.endsWith('_API_BASE'));
    for (const base of bases) {
      const { hostname, port } = new URL(environment[base] ?? '');
      const provider = base.replace('_API_BASE', '').toLowerCase();
      expect([hostname, port]).toEqual(['sandbox', command[command.indexOf(`--${provider}`) + 1]]);
    }
    expect(() => loadConfig(environment)).not.toThrow();
    const told = new URL(command[command.indexOf('--webhooks-to') + 1] ?? '');
    expect([told.host, told.pathname]).toEqual(['queue-service:3020', '/api/v1/queue/provider-webhooks']);
  });

  it('gives each stand-in the key that it asks for', () => {
    expect(variables['SENDGRID_API_KEY']).toBe(API_KEY);
    expect(variables).toMatchObject(twilioVariables(variables['TWILIO_API_BASE'] ?? ''));
    expect(variables['STRIPE_WEBHOOK_SECRET']).toBe(SANDBOX_STRIPE_SECRET);
    expect(variables['SENDGRID_WEBHOOK_PUBLIC_KEY']).toBe(new EventKey(SANDBOX_SEED).publicKey);
    const fcm = fcmVariables(variables['FCM_API_BASE'] ?? '');
    const accounts = [variables, fcm].map(({ FCM_SERVICE_ACCOUNT: text = '' }): unknown => JSON.parse(text));
    expect(accounts[0]).toEqual(accounts[1]);
  });

  it('holds nothing that could be mistaken for a real key', () => {
    for (const [name, value] of Object.entries(variables)) {
      if (/(?<!PUBLIC_)KEY|SECRET|PASSWORD|TOKEN/.test(name)) expect(value).toContain('sandbox');
    }
  });
});
