import { z } from 'zod';
import { problemsOf } from '../../../src/contract/problems';

const problemsIn = (schema: z.ZodType, value: unknown, under?: string) => {
  const { error } = schema.safeParse(value);
  return error ? problemsOf(error, under) : [];
};

describe('the problems of a parse', () => {
  it('have their place, under what they were found in', () => {
    expect(problemsIn(z.object({ a: z.array(z.int()) }), { a: [1, 'x'] }, 'data')).toEqual([
      { path: 'data.a.1', message: expect.stringContaining('number') },
    ]);
    expect(problemsIn(z.string(), 1)).toEqual([{ path: '(body)', message: expect.any(String) }]);
  });

  it('are fifty at most, and the others are counted: an answer must not outgrow what the broker takes', () => {
    const problems = problemsIn(
      z.array(z.int()),
      Array.from({ length: 100_000 }, () => 'x'),
    );
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toEqual({ path: '(body)', message: 'has 99950 more problems' });
  });

  it.each([150, 180, 190, 195, 196, 197, 198, 199, 200, 250])(
    'can be stored when a member name is cut after %i characters, whatever stands there',
    (length) => {
      const name = `${'x'.repeat(length)}\u{1f600}\u{1f600}\u0000\ud800`;
      const values = [
        ...problemsIn(z.record(z.string(), z.int()), { [name]: 'x' }),
        ...problemsIn(z.strictObject({}), { [name]: 'x' }),
      ];
      expect(JSON.stringify(values)).not.toMatch(/\\u0000|\\ud[89a-f]/);
      for (const { path, message } of values) expect(Math.max(path.length, message.length)).toBeLessThanOrEqual(200);
    },
  );
});
