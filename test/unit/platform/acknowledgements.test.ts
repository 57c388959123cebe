import type { ConsumeMessage } from 'amqplib';
import { Acknowledgements } from '../../../src/platform/rabbitmq/acknowledgements';

const FIELDS = { consumerTag: 'c', exchange: '', redelivered: false, routingKey: 'k' };
const PROPERTIES = {
  contentType: undefined,
  contentEncoding: undefined,
  headers: {},
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
};

const delivered = (deliveryTag: number): ConsumeMessage => ({
  fields: { ...FIELDS, deliveryTag },
  properties: PROPERTIES,
  content: Buffer.alloc(0),
});

/** What is sent to the broker for each turn of these acknowledgements: a tag, with a + where it means all before it too. */
async function sentFor(turns: number[][]): Promise<string[][]> {
  const sent: string[] = [];
  const acknowledgements = new Acknowledgements((message, allUpTo) =>
    sent.push(`${message.fields.deliveryTag}${allUpTo ? '+' : ''}`),
  );
  const results: string[][] = [];
  for (const tags of turns) {
    for (const tag of tags) acknowledgements.add(delivered(tag));
    await new Promise((resolve) => process.nextTick(resolve));
    results.push(sent.splice(0));
  }
  return results;
}

describe('acknowledgements', () => {
  it('go in one frame when nothing before them is left', async () => {
    expect(await sentFor([[1, 2, 3], [4], [6, 5]])).toEqual([['3+'], ['4+'], ['6+']]);
  });

  it('never take along what has not been acknowledged', async () => {
    expect(await sentFor([[2, 3], [5]])).toEqual([['2', '3'], ['5']]);
  });

  it('name none that was acknowledged before, once the gap is closed', async () => {
    expect(await sentFor([[2], [1], [4], [3, 5], [6]])).toEqual([['2'], ['1+'], ['4'], ['5+'], ['6+']]);
  });

  it('close a gap with the last one that is new', async () => {
    expect(await sentFor([[2, 3], [1], [4]])).toEqual([['2', '3'], ['1+'], ['4+']]);
  });
});
