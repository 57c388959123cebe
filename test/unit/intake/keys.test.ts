import fc from 'fast-check';
import { toClaim } from '../../../src/intake/claims';
import { fingerprintOf, hiddenKey, liveKeyOf, requestKeyOf } from '../../../src/intake/keys';
import { validateJobRequest } from '../../../src/intake/validate-request';
import { JOB_REQUESTED } from '../../../src/contract/names';
import { payment } from '../../support/harness/payloads';

const SECRET = 'a secret of at least thirty-two characters';
const RULES = { keySecret: SECRET, defaultChoices: { provider: 'stripe', chain: 'polygon' } };

/** The same value, with the members of every object in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, turned(member)]),
  );
}

function claimOf(data: Record<string, unknown>, more: Record<string, unknown> = {}, source = '/shop') {
  const event = { specversion: '1.0' as const, id: 'id-1', source, type: JOB_REQUESTED };
  const validated = validateJobRequest({ ...event, data: { type: 'payment-process', data, ...more } }, undefined);
  if (!('request' in validated)) throw new Error(JSON.stringify(validated.problems));
  return toClaim({ request: validated.request, body: Buffer.from(''), mayDetour: false }, RULES, true);
}

describe('a fingerprint', () => {
  it('does not depend on the order of members or on white space', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (data, spaces) => {
        const asReceived: unknown = JSON.parse(JSON.stringify(data));
        const otherwise: unknown = JSON.parse(JSON.stringify(turned(data), null, spaces));
        expect(fingerprintOf('type', otherwise)).toBe(fingerprintOf('type', asReceived));
      }),
    );
  });

  it('differs for another payload and for another type', () => {
    expect(fingerprintOf('type', { n: 1 })).not.toBe(fingerprintOf('type', { n: 2 }));
    expect(fingerprintOf('type', { n: 1 })).not.toBe(fingerprintOf('type', { n: '1' }));
    expect(fingerprintOf('one', { n: 1 })).not.toBe(fingerprintOf('other', { n: 1 }));
  });

  it('is of the payload as received: before defaults, without the options, and versioned', () => {
    const { currency: _, ...without } = payment();
    const withDefault = { ...without, currency: 'USD' };
    expect(claimOf(without).fingerprint).not.toBe(claimOf(withDefault).fingerprint);
    expect(claimOf(without, { options: { priority: 1 } }).fingerprint).toBe(claimOf(without).fingerprint);
    expect(claimOf(without).fingerprint).toMatch(/^1:[0-9a-f]{64}$/);
  });
});

describe('a live key', () => {
  it('is another one for every other (type, scope, key)', () => {
    const part = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed());
    const parts = fc.tuple(part, part, part);
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = one.every((text, index) => text === other[index]);
        expect(liveKeyOf(...one) === liveKeyOf(...other)).toBe(same);
      }),
    );
  });

  it('is not confused by parts that run into each other', () => {
    const keys = [
      liveKeyOf('a', 'b', 'c'),
      liveKeyOf('a', 'bc', ''),
      liveKeyOf('ab', '', 'c'),
      liveKeyOf('a","b', '', 'c'),
      liveKeyOf('a', '', 'b","c'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('of a caller belongs to its source, a default one to the type alone', () => {
    const data = payment();
    const idempotencyKey = 'order-1';
    expect(claimOf(data, { idempotencyKey }, '/a').liveKey).not.toBe(claimOf(data, { idempotencyKey }, '/b').liveKey);
    expect(claimOf(data, {}, '/a').liveKey).toBe(claimOf(data, {}, '/b').liveKey);
  });

  it('of a caller cannot be made to be a default one', () => {
    const data = payment();
    const byDefault = claimOf(data);
    const forged = claimOf(data, { idempotencyKey: byDefault.idempotencyKey });
    expect(forged.liveKey).not.toBe(byDefault.liveKey);
  });
});

describe('a default key', () => {
  it('leaves the process only as an HMAC', () => {
    const data = payment();
    const claim = claimOf(data);
    expect(claim.idempotencyKey).toMatch(/^default-[0-9a-f]{48}$/);
    for (const value of Object.values(data)) expect(claim.idempotencyKey).not.toContain(String(value));
  });

  it('depends on the secret', () => {
    expect(hiddenKey(SECRET, 'key')).not.toBe(hiddenKey(`${SECRET}!`, 'key'));
    expect(hiddenKey(SECRET, 'key')).toBe(hiddenKey(SECRET, 'key'));
  });
});

describe('a request identity', () => {
  it('is made of source and id, and for a mapped job of mapping and index', () => {
    const keys = [
      requestKeyOf('/a', '1'),
      requestKeyOf('/b', '1'),
      requestKeyOf('/a', '2'),
      requestKeyOf('/a', '1', { mapping: 'order.placed', index: 0 }),
      requestKeyOf('/a', '1', { mapping: 'order.placed', index: 1 }),
      requestKeyOf('/a', '1', { mapping: 'order.paid', index: 0 }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(requestKeyOf('/a', '1')).toBe(keys[0]);
  });
});

describe('a claim', () => {
  it('holds the end of its validity in UTC: PostgreSQL does not know every offset of RFC 3339', () => {
    const claim = claimOf(payment(), { options: { expiresAt: '2099-01-01T00:00:00+23:59' } });
    expect(claim.expiresAt).toBe('2098-12-31T00:01:00.000Z');
  });
});
