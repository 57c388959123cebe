import { z } from 'zod';
import { defineJobType } from '../../../src/catalogue/job-type';
import { jobTypes } from '../../../src/catalogue';
import { HttpError } from '../../../src/admin/errors';
import { ownPayload } from '../../../src/admin/ownership';
import type { Role } from '../../../src/contract/principals';

const type = defineJobType({
  name: 'venue-paint',
  queue: 'background',
  priority: 1,
  concurrency: 1,
  timeoutMs: 1_000,
  submittableBy: ['user', 'venue_admin'],
  payload: z.strictObject({ userId: z.string().optional(), venueId: z.string().optional(), colour: z.string() }),
  result: z.strictObject({}),
  defaultKey: ({ colour }) => colour,
});

const as = (role: Role, venues: string[] = []) => ({ id: 'me', role, venues });
const refused = (data: Record<string, unknown>, principal: ReturnType<typeof as>) => {
  try {
    ownPayload(data, principal, type);
    return undefined;
  } catch (error) {
    return error instanceof HttpError ? error.code : error;
  }
};

describe('a user', () => {
  it('asks for itself, named or not', () => {
    expect(ownPayload({ colour: 'red', userId: 'me' }, as('user'), type)).toEqual({ colour: 'red', userId: 'me' });
    expect(ownPayload({ colour: 'red' }, as('user'), type)).toEqual({ colour: 'red', userId: 'me' });
  });

  it.each(['you', '', null, ['me'], { id: 'me' }])('does not ask for %j', (userId) => {
    expect(refused({ colour: 'red', userId }, as('user'))).toBe('NOT_YOURS');
  });
});

describe('a venue_admin', () => {
  it('asks for any of its venues', () => {
    const data = { colour: 'red', venueId: 'b' };
    expect(ownPayload(data, as('venue_admin', ['a', 'b']), type)).toEqual(data);
  });

  it('that has one venue need not name it', () => {
    expect(ownPayload({ colour: 'red' }, as('venue_admin', ['a']), type)).toEqual({ colour: 'red', venueId: 'a' });
  });

  it.each([
    ['another venue', { venueId: 'c' }, ['a', 'b']],
    ['no venue, having two', {}, ['a', 'b']],
    ['no venue, having none', {}, []],
    ['null', { venueId: null }, ['a']],
    ['a list of its venues', { venueId: ['a'] }, ['a']],
  ])('does not ask for %s', (_, data, venues) => {
    expect(refused({ colour: 'red', ...data }, as('venue_admin', venues))).toBe('NOT_YOURS');
  });
});

it.each(['service', 'admin'] as const)('a %s asks for everybody', (role) => {
  const data = { colour: 'red', userId: 'you', venueId: 'c' };
  expect(ownPayload(data, as(role), type)).toEqual(data);
});

describe('the catalogue', () => {
  const mayAsk = (role: Role) => jobTypes.filter(({ submittableBy }) => submittableBy.includes(role));
  const schemaOf = (payload: z.ZodType): { properties?: object; required?: string[] } =>
    z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' });

  it.each(mayAsk('user'))('$name, which users may ask for, always says for whom it is', ({ payload }) => {
    expect(schemaOf(payload).required).toContain('userId');
  });

  it('says of every type that venue_admins may ask for, for which venue it is', () => {
    for (const { payload } of mayAsk('venue_admin')) {
      expect(Object.keys(schemaOf(payload).properties ?? {})).toContain('venueId');
    }
  });
});
