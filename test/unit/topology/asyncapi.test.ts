import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { jobTypes } from '../../../src/catalogue';
import { DOMAIN_EVENTS } from '../../../src/contract/domain-events';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { OUTCOMES, outcomeData } from '../../../src/contract/outcome';
import { PUBLISHED_EVENTS } from '../../../src/contract/published-events';
import { readMessage } from '../../../src/intake/read-message';
import { TOPOLOGY } from '../../../src/topology/topology';
import { asyncApi } from '../../../tools/topology/asyncapi';

const ROOT = path.resolve(__dirname, '../../..');
const FILE = path.join(ROOT, 'topology/asyncapi.json');

const channel = z.object({
  address: z.string(),
  messages: z.record(z.string(), z.object({ $ref: z.string() })),
  bindings: z.object({ amqp: z.object({ exchange: z.object({ name: z.string(), type: z.string() }) }) }),
});
const event = z.looseObject({ type: z.string(), data: z.record(z.string(), z.unknown()) });
const message = z.object({ contentType: z.string(), examples: z.array(z.object({ payload: event })).min(1) });
const operation = z.object({
  action: z.enum(['send', 'receive']),
  channel: z.object({ $ref: z.string() }),
  messages: z.array(z.object({ $ref: z.string() })).min(1),
});
const documented = z.object({
  channels: z.record(z.string(), channel),
  operations: z.record(z.string(), operation),
  components: z.object({ messages: z.record(z.string(), message) }),
});

describe('topology/asyncapi.json', () => {
  const text = readFileSync(FILE, 'utf8');
  const document = documented.parse(JSON.parse(text));
  const messages = Object.entries(document.components.messages).map(([name, { contentType, examples }]) => ({
    name,
    contentType,
    payloads: examples.map(({ payload }) => payload),
  }));
  // What formats say is seen when the service itself reads the examples.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ components: z.object({ components: z.unknown() }).parse(JSON.parse(text)).components }, 'document');
  const allows = (name: string, payload: unknown): boolean | Promise<unknown> =>
    ajv.validate({ $ref: `document#/components/messages/${name}/payload` }, payload);

  it('is what src/ says', () => {
    expect(text).toBe(`${JSON.stringify(asyncApi(), null, 2)}\n`);
  });

  it('passes the strict rules of a linter for AsyncAPI', async () => {
    expect(await lint(FILE)).toEqual({ code: 0, output: expect.stringContaining('is valid') });
  });

  it('has a request and every outcome for each job type, and each domain event', () => {
    const wanted = [
      ...jobTypes.flatMap(({ queue, name, submittableBy }) => [
        ...(submittableBy.length === 0 ? [] : [`receive jobs.requests ${queue}.${name}`]),
        ...OUTCOMES.map((outcome) => `send jobs.events ${queue}.${name}.{outcome} outcome.${name}.${outcome}`),
      ]),
      ...Object.keys(DOMAIN_EVENTS).map((name) => `receive platform.events ${name}`),
      ...Object.keys(PUBLISHED_EVENTS).map((name) => `send platform.events ${name}`),
      'send jobs.events {place}.unknown.rejected outcome.unknown.rejected',
    ];
    const found = Object.values(document.operations).map((found) => describeOperation(found, document.channels));
    expect(found.sort()).toEqual(wanted.sort());
  });

  it('speaks of exchanges that the topology has, and of messages that it describes itself', () => {
    for (const { bindings, messages: named } of Object.values(document.channels)) {
      const { name, type } = bindings.amqp.exchange;
      expect(TOPOLOGY.exchanges).toContainEqual(expect.objectContaining({ name, type }));
      for (const [name, { $ref }] of Object.entries(named)) {
        expect($ref).toBe(`#/components/messages/${name}`);
        expect(document.components.messages).toHaveProperty([name]);
      }
    }
  });

  it.each(messages)('gives an example of $name that its own schema allows', ({ name, payloads }) => {
    for (const payload of payloads) {
      allows(name, payload);
      expect(ajv.errors).toBeNull();
    }
  });

  it.each(messages)('does not allow $name to carry the data of anything else', ({ name, payloads }) => {
    for (const payload of payloads) {
      expect(allows(name, { ...payload, data: { nothing: 'of the kind' } })).toBe(false);
      expect(allows(name, { ...payload, type: 'com.example.other' })).toBe(false);
    }
  });

  it.each(jobTypes.filter(({ submittableBy }) => submittableBy.length > 0))(
    'gives an example of a request for $name that is let in',
    ({ name, queue }) => {
      for (const body of payloadsOf(document, `request.${name}`)) {
        expect(readMessage(delivery(QUEUES.requests[queue], `${queue}.${name}`, body))).toHaveProperty(
          'offers.length',
          1,
        );
      }
    },
  );

  it.each(Object.keys(DOMAIN_EVENTS))('gives an example of the event %s that is let in', (name) => {
    for (const body of payloadsOf(document, `event.${name}`)) {
      expect(readMessage(delivery(QUEUES.domainEvents, name, body))).toHaveProperty('offers');
    }
  });

  it('gives examples of outcomes that have every field that an outcome has', () => {
    for (const { name, payloads } of messages.filter(({ name }) => name.startsWith('outcome.'))) {
      for (const { data } of payloads)
        expect([name, outcomeData.strict().safeParse(data).error]).toEqual([name, undefined]);
    }
  });
});

type Document = z.infer<typeof documented>;

function payloadsOf(document: Document, name: string): unknown[] {
  return document.components.messages[name]?.examples.map(({ payload }) => payload) ?? [];
}

function describeOperation(found: z.infer<typeof operation>, channels: Document['channels']): string {
  const { address, bindings } = channels[found.channel.$ref.replace('#/channels/', '')] ?? {};
  const exchange = bindings?.amqp.exchange.name;
  const named = exchange === EXCHANGES.outcomes ? [found.messages[0]?.$ref.split('/').at(-1)] : [];
  return [found.action, exchange, address, ...named].join(' ');
}

function delivery(queue: string, routingKey: string, body: unknown): Parameters<typeof readMessage>[0] {
  const contentType = 'application/cloudevents+json';
  return { queue, routingKey, contentType, headers: {}, content: Buffer.from(JSON.stringify(body)) };
}

/** The linter sends nothing about its use, and does not ask for newer versions of itself. */
const QUIET = {
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  REDOCLY_SUPPRESS_NOTIFICATIONS: 'true',
  NO_COLOR: '1',
};

function lint(file: string): Promise<{ code: number; output: string }> {
  const program = [require.resolve('@redocly/cli/bin/cli.js'), 'lint', '--extends=recommended-strict', file];
  const options = { cwd: ROOT, env: { ...process.env, ...QUIET }, timeout: 50_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, program, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}
