/** What ethers throws for what nodes say to `eth_call` and `eth_estimateGas`. */
import { TicketContract } from '../../../src/providers/evm/contract';
import { readTrouble } from '../../../src/providers/evm/errors';

const callException = (data: string | null, code: number, message: string) => ({
  code: 'CALL_EXCEPTION',
  data,
  info: { error: { code, message } },
});

it.each([
  ['too many requests', callException(null, -32_005, 'rate limit exceeded'), { kind: 'busy' }],
  [
    'an error of the node itself',
    callException(null, -32_603, 'internal error'),
    { kind: 'refused', code: 'RPC_-32603' },
  ],
  ['a refusal without a reason', callException(null, 3, 'execution reverted'), { kind: 'reverted', data: '0x' }],
  [
    'a refusal with one',
    callException('0x12345678', 3, 'execution reverted'),
    { kind: 'reverted', data: '0x12345678' },
  ],
  ['no word of why', { code: 'CALL_EXCEPTION', data: null }, { kind: 'reverted', data: '0x' }],
])('%s is told from the others', (_, thrown, trouble) => {
  expect(readTrouble(thrown, 0)).toEqual(trouble);
});

it('a refusal without a reason is not one of a ticket that has its token', () => {
  expect(new TicketContract(`0x${'1'.repeat(40)}`).readAlreadyMinted('0x')).toBeUndefined();
});
