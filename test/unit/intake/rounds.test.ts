import { CONTENT_TYPE, QUEUES } from '../../../src/contract/names';
import { toClaim } from '../../../src/intake/claims';
import { readMessage } from '../../../src/intake/read-message';
import { claimInRounds } from '../../../src/intake/rounds';
import { isUnavailable } from '../../../src/platform/postgres/errors';
import { jobRequestEvent } from '../../support/harness/bus';
import { payment } from '../../support/harness/payloads';

const message = readMessage({
  queue: QUEUES.requests.money,
  routingKey: 'money.payment-process',
  content: Buffer.from(JSON.stringify(jobRequestEvent({ type: 'payment-process', data: payment() }))),
  contentType: CONTENT_TYPE,
  headers: {},
});
const RULES = { keySecret: 'secret', defaultChoices: { provider: 'stripe', chain: 'polygon' } };
const candidates = ('offers' in message ? message.offers : []).map((offer) => ({
  offer,
  claim: toClaim(offer, RULES, true),
}));

it('keys that others are always quicker to take and release say nothing against the request: it comes again', async () => {
  expect(candidates).toHaveLength(1);
  const claiming = claimInRounds(candidates, (open) => Promise.resolve(open));
  const failure = await claiming.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ message: expect.stringContaining('taken and released') });
  expect(isUnavailable(failure)).toBe(true);
});
