import packageJson from '../../package.json';
import { jobTypes } from '../../src/catalogue';
import type { JobType } from '../../src/catalogue/job-type';
import { DOMAIN_EVENTS, isDomainEventName, type DomainEventName } from '../../src/contract/domain-events';
import { CONTENT_TYPE } from '../../src/contract/names';
import { isPublishedEventName, PUBLISHED_EVENTS, type PublishedEventName } from '../../src/contract/published-events';
import {
  eventChannel,
  outcomeChannel,
  receive,
  requestChannel,
  requesterChannel,
  send,
  unreadableChannel,
  type Channel,
  type Operation,
} from './channels';
import {
  eventMessage,
  outcomeMessages,
  publishedMessage,
  requestMessage,
  unreadableMessage,
  type Message,
} from './messages';
import { jsonSchemas, type JsonSchema } from './schemas';

/** What the document says about one job type, one domain event, or the rest. */
interface Part {
  channels: Record<string, Channel>;
  operations: Record<string, Operation>;
  messages: Message[];
}

type Schemas = Record<string, JsonSchema>;

/** Every message in and out, as AsyncAPI 3.0. It follows the catalogue: nothing about one type or event is written here. */
export function asyncApi() {
  const schemas = jsonSchemas();
  const ofTypes = jobTypes.map((type) => partOfType(type, schemas));
  const ofEvents = Object.keys(DOMAIN_EVENTS)
    .filter(isDomainEventName)
    .map((name) => partOfEvent(name, schemas));
  const published = Object.keys(PUBLISHED_EVENTS)
    .filter(isPublishedEventName)
    .map((name) => partOfPublished(name, schemas));
  const parts = [...ofTypes, ...ofEvents, ...published, partOfUnreadable()];
  const messages = parts.flatMap((part) => part.messages);
  const outcomes = messages.filter(({ name }) => name.startsWith('outcome.'));
  return {
    asyncapi: '3.0.0',
    id: 'urn:com:tickettoken:queue-service',
    info: info(),
    defaultContentType: CONTENT_TYPE,
    servers: { broker: server() },
    channels: {
      ...Object.assign({}, ...parts.map(({ channels }) => channels)),
      'outcomes.requester': requesterChannel(outcomes),
    },
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)),
    components: {
      securitySchemes: { broker: { type: 'userPassword', description: 'A user of the broker.' } },
      messages: Object.fromEntries(messages.map((message) => [message.name, message])),
      schemas,
    },
  };
}

function info() {
  return {
    title: packageJson.name,
    version: packageJson.version,
    description: [
      'Ask for a job by a request on `jobs.requests`, or by a domain event on `platform.events`; hear what became of it on',
      '`jobs.events`. Publish persistent messages, `mandatory`, and wait for the confirm: a request that the broker',
      'confirmed is never lost. Outcomes come at least once: drop repeats by their `id`.',
      'A body has at most 1 MiB; ids and keys at most 255 bytes of UTF-8 and no control characters.',
    ].join(' '),
    license: { name: packageJson.license, url: 'https://opensource.org/license/mit' },
  };
}

function server() {
  return {
    host: '{host}',
    protocol: 'amqp',
    protocolVersion: '0-9-1',
    description: 'RabbitMQ; topology/definitions.json creates what this service needs on it.',
    variables: { host: { description: 'Name and port of the broker.', default: 'rabbitmq:5672' } },
    security: [{ $ref: '#/components/securitySchemes/broker' }],
  };
}

function partOfType(type: JobType, schemas: Schemas): Part {
  const payload = named(schemas, `payload.${type.name}`);
  const outcomes = outcomeMessages(type, named(schemas, `result.${type.name}`));
  const requests = `requests.${type.queue}.${type.name}`;
  const answers = `outcomes.${type.queue}.${type.name}`;
  // Of what nobody may ask for there is no request.
  const asked = type.submittableBy.length === 0 ? [] : [requestMessage(type, payload)];
  return {
    channels: {
      ...Object.fromEntries(asked.map((request) => [requests, requestChannel(type, request)])),
      [answers]: outcomeChannel(type, outcomes),
    },
    operations: {
      ...Object.fromEntries(
        asked.map((request) => [
          `receive.${requests}`,
          receive(requests, request.summary, request, { channel: answers, messages: outcomes }),
        ]),
      ),
      ...Object.fromEntries(
        outcomes.map((outcome) => [`send.${outcome.name}`, send(answers, outcome.summary, outcome)]),
      ),
    },
    messages: [...asked, ...outcomes],
  };
}

function partOfEvent(name: DomainEventName, schemas: Schemas): Part {
  const event = eventMessage(name, named(schemas, `event.${name}`));
  const channel = `events.${name}`;
  return {
    channels: { [channel]: eventChannel(name, event) },
    operations: { [`receive.${channel}`]: receive(channel, event.summary, event) },
    messages: [event],
  };
}

function partOfPublished(name: PublishedEventName, schemas: Schemas): Part {
  const event = publishedMessage(name, named(schemas, `event.${name}`));
  const channel = `events.${name}`;
  return {
    channels: { [channel]: eventChannel(name, event) },
    operations: { [`send.${channel}`]: send(channel, event.summary, event, []) },
    messages: [event],
  };
}

function partOfUnreadable(): Part {
  const message = unreadableMessage();
  const channel = 'outcomes.unknown';
  return {
    channels: { [channel]: unreadableChannel(message) },
    operations: { [`send.${message.name}`]: send(channel, message.summary, message) },
    messages: [message],
  };
}

function named(schemas: Schemas, name: string): JsonSchema {
  const schema = schemas[name];
  if (!schema) throw new Error(`there is no schema ${name}`);
  return schema;
}
