import type { JobType } from '../../src/catalogue/job-type';
import { EXCHANGES, TIERS } from '../../src/contract/names';
import { OUTCOMES } from '../../src/contract/outcome';
import { TOPOLOGY } from '../../src/topology/topology';
import { BINDING_VERSION, type Message } from './messages';

interface Reference {
  $ref: string;
}

interface Parameter {
  description: string;
  enum?: readonly string[];
}

/** A routing key on an exchange, or a family of them. */
export interface Channel {
  address: string;
  description: string;
  messages: Record<string, Reference>;
  parameters?: Record<string, Parameter>;
  bindings: object;
}

export interface Operation {
  action: 'send' | 'receive';
  summary: string;
  channel: Reference;
  messages: Reference[];
  bindings: object;
  reply?: Pick<Operation, 'channel' | 'messages'>;
}

export function requestChannel(type: JobType, message: Message): Channel {
  const seconds = type.timeoutMs / 1_000;
  return {
    ...onExchange(EXCHANGES.requests, [message]),
    address: `${type.queue}.${type.name}`,
    description: `Priority ${type.priority} where the request names none; one attempt may take ${seconds} s.`,
  };
}

export function eventChannel(name: string, message: Message): Channel {
  return { ...onExchange(EXCHANGES.domainEvents, [message]), address: name, description: `The event ${name}.` };
}

export function outcomeChannel(type: JobType, messages: Message[]): Channel {
  return {
    ...onExchange(EXCHANGES.outcomes, messages),
    address: `${type.queue}.${type.name}.{outcome}`,
    description: `What became of ${type.name} jobs. The requester also finds its own under to.<source>.`,
    parameters: { outcome: { description: 'How the job or the request ended.', enum: OUTCOMES } },
  };
}

export function unreadableChannel(message: Message): Channel {
  return {
    ...onExchange(EXCHANGES.outcomes, [message]),
    address: '{place}.unknown.rejected',
    description: 'Answers to messages of which not even the job type can be told.',
    parameters: {
      place: {
        description:
          'The tier of the queue that the message came from; `events` and `other` for the two further queues.',
        enum: [...TIERS, 'events', 'other'],
      },
    },
  };
}

/** All outcomes once more, under a key that one requester alone binds. */
export function requesterChannel(messages: Message[]): Channel {
  return {
    ...onExchange(EXCHANGES.outcomes, messages),
    address: 'to.{source}',
    description: 'Every outcome of the requests of one source.',
    parameters: {
      source: {
        description: 'The `source` of the request, with every character outside A-Z, a-z and 0-9 turned into `-`.',
      },
    },
  };
}

export function receive(
  channel: string,
  summary: string,
  message: Message,
  answers?: { channel: string; messages: Message[] },
): Operation {
  return {
    action: 'receive',
    summary,
    ...within(channel, [message]),
    ...(answers === undefined ? {} : { reply: within(answers.channel, answers.messages) }),
    bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: BINDING_VERSION } },
  };
}

/** @param alsoTo further routing keys under which it comes */
export function send(channel: string, summary: string, message: Message, alsoTo = ['to.<source>']): Operation {
  const cc = alsoTo.length === 0 ? {} : { cc: alsoTo };
  return {
    action: 'send',
    summary,
    ...within(channel, [message]),
    bindings: { amqp: { deliveryMode: 2, ...cc, bindingVersion: BINDING_VERSION } },
  };
}

function within(channel: string, messages: Message[]): Pick<Operation, 'channel' | 'messages'> {
  const $ref = `#/channels/${channel}`;
  return { channel: { $ref }, messages: messages.map(({ name }) => ({ $ref: `${$ref}/messages/${name}` })) };
}

function onExchange(name: string, messages: Message[]): Pick<Channel, 'messages' | 'bindings'> {
  const exchange = TOPOLOGY.exchanges.find((declared) => declared.name === name);
  if (!exchange) throw new Error(`the topology has no exchange ${name}`);
  return {
    messages: Object.fromEntries(messages.map((message) => [message.name, componentOf(message)])),
    bindings: {
      amqp: {
        is: 'routingKey',
        exchange: { name, type: exchange.type, durable: true, autoDelete: false },
        bindingVersion: BINDING_VERSION,
      },
    },
  };
}

function componentOf({ name }: Message): Reference {
  return { $ref: `#/components/messages/${name}` };
}
