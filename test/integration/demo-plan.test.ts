import { QUEUES } from '../../src/contract/names';
import { readMessage } from '../../src/intake/read-message';
import { makePlan, type PlannedMessage } from '../../tools/demo/plan';
import { KINDS, type Kind } from '../../tools/demo/records';

const ORDERS = 200;

describe('the plan of the demo', () => {
  const { messages } = makePlan('sale', 11, ORDERS);

  it('makes the same choices from the same seed, and others from another', () => {
    const choices = (seed: number) => makePlan('sale', seed, ORDERS).messages.map(({ record }) => record);
    expect(choices(11)).toEqual(messages.map(({ record }) => record));
    expect(choices(12)).not.toEqual(messages.map(({ record }) => record));
  });

  it('holds every kind of request', () => {
    const kinds = new Set(messages.map(({ record }) => record.kind));
    expect([...kinds].sort()).toEqual(Object.keys(KINDS).sort());
  });

  it('repeats a message byte for byte, and never before the first', () => {
    for (const [index, { message, record }] of messages.entries()) {
      if (record.kind !== 'same message again') continue;
      const first = messages.findIndex((other) => other.message.messageId === message.messageId);
      expect(first).toBeLessThan(index);
      expect(messages[first]?.message).toEqual(message);
    }
  });

  it('waits only for requests that were published before', () => {
    for (const [index, { afterAnswerTo }] of messages.entries()) {
      if (afterAnswerTo === undefined) continue;
      const first = messages.findIndex(({ message }) => message.messageId === afterAnswerTo);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(first).toBeLessThan(index);
    }
  });

  const malformed: Kind[] = ['not JSON', 'schema error', 'unknown type', 'wrong routing key'];

  it('is sound where it means to be', () => {
    for (const planned of messages.filter(({ record }) => !malformed.includes(record.kind))) {
      expect(read(planned)).toHaveProperty('offers');
    }
  });

  it.each(malformed)('is malformed where it means to be, as the intake sees it: %s', (kind) => {
    const planned = messages.filter(({ record }) => record.kind === kind);
    expect(planned.length).toBeGreaterThan(0);
    for (const one of planned) {
      const { code, problemAt, requestId } = one.record;
      const message = read(one);
      expect(message).toMatchObject({ rejection: { code, requestId: requestId ?? undefined } });
      const places = 'rejection' in message ? message.rejection.problems.map(({ path }) => path) : [];
      expect(places).toContain(problemAt);
    }
  });
});

function read({ message }: PlannedMessage) {
  const { exchange, routingKey, body, contentType } = message;
  const queue = exchange === 'platform.events' ? QUEUES.domainEvents : QUEUES.requests.money;
  return readMessage({ queue, routingKey, content: Buffer.from(body), contentType, headers: {} });
}
