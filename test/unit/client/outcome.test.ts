import { readOutcome } from '../../../src/client/outcome';
import type { OutcomeData } from '../../../src/contract/outcome';
import { writtenOutcome } from '../../support/client';

const read = (data: Partial<OutcomeData>, more: Record<string, unknown> = {}) => {
  const { body } = writtenOutcome('o-1', data);
  return readOutcome(Buffer.from(JSON.stringify({ ...JSON.parse(body), ...more })));
};
const error = { code: 'TIMEOUT', message: 'late', replayable: true };

it('reads an outcome with its id and trace', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(read({ result: { n: 3 } }, { traceparent })).toMatchObject({
    outcome: { id: 'o-1', traceparent, type: 'canary-money', outcome: 'completed', result: { n: 3 }, error: null },
  });
});

it.each([
  ['completed without its result', { result: null }, 'data.result'],
  ['completed with a result of another form', { result: { n: 'x' } }, 'data.result.n'],
  ['completed with less than its result', { result: {} }, 'data.result.n'],
  ['duplicate with a result of another form', { outcome: 'duplicate', result: { n: 'x' } }, 'data.result.n'],
  ['failed without a reason', { outcome: 'failed', result: null }, 'data.error'],
  ['attention without a reason', { outcome: 'attention', result: null }, 'data.error'],
  ['rejected without a reason', { outcome: 'rejected', result: null }, 'data.error'],
] as const)('refuses what its type does not promise: %s', (_what, data, path) => {
  expect(read(data)).toMatchObject({ problems: [{ path }] });
});

it.each([
  ['a duplicate of unfinished work', { outcome: 'duplicate', result: null }],
  ['a cancellation without a reason', { outcome: 'cancelled', result: null }],
  ['a failure', { outcome: 'failed', result: null, error }],
  ['a result that says more', { result: { n: 1, more: true } }],
  ['a rejection of what nobody could read', { outcome: 'rejected', jobId: null, requestId: null, result: null, error }],
] as const)('reads %s', (_what, data) => {
  expect(read(data)).toMatchObject({ outcome: data });
});

it('ignores members of the envelope that a later version adds', () => {
  expect(read({}, { extension: 'x' })).toMatchObject({ outcome: { id: 'o-1' } });
});

it('has a name of its own for a type that it does not know, whatever that says of itself', () => {
  for (const typeName of ['brand-new', 'unknown']) {
    expect(read({ type: typeName, result: 1 })).toMatchObject({ outcome: { type: 'unknown', typeName, result: 1 } });
  }
});

it.each([
  ['is not valid JSON', Buffer.from('{"id":')],
  ['is not valid UTF-8', Buffer.from(writtenOutcome('o-\u00ff', {}).body, 'latin1')],
])('refuses a body that %s, and says nothing of its content', (message, content) => {
  expect(readOutcome(content)).toEqual({ problems: [{ path: '(body)', message }] });
});
