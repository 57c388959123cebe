import { Webhook } from 'standardwebhooks';
import { secretOf, secretsInForce } from '../../../src/subscriptions/secrets';

const MASTER = 'a secret that is only good for tests, at least 32 characters';
const NOW = new Date('2026-01-15T12:00:00Z');
const inForce = (version: number, previousUntil?: string) =>
  secretsInForce(
    MASTER,
    'one',
    { version, previousUntil: previousUntil === undefined ? undefined : new Date(previousUntil) },
    NOW,
  );

it('a secret is the same whenever it is asked for, has 32 bytes, and can sign', () => {
  const secret = secretOf(MASTER, 'one', 1);
  expect(secretOf(MASTER, 'one', 1)).toBe(secret);
  expect(Buffer.from(secret.replace('whsec_', ''), 'base64')).toHaveLength(32);
  expect(new Webhook(secret).sign('id', NOW, '{}')).toMatch(/^v1,/);
});

it.each([
  ['subscription', secretOf(MASTER, 'two', 1)],
  ['version', secretOf(MASTER, 'one', 2)],
  ['configuration', secretOf(`${MASTER}.`, 'one', 1)],
])('it differs with the %s', (_, other) => {
  expect(other).not.toBe(secretOf(MASTER, 'one', 1));
});

it('the one before signs as well, until its time is over', () => {
  const [first, second] = [1, 2].map((version) => secretOf(MASTER, 'one', version));
  expect(inForce(1)).toEqual([first]);
  expect(inForce(2, '2026-01-15T12:00:01Z')).toEqual([second, first]);
  expect(inForce(2, '2026-01-15T12:00:00Z')).toEqual([second]);
});
