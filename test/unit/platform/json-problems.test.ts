import fc from 'fast-check';
import { jsonProblems } from '../../../src/platform/json-problems';

/** What PostgreSQL's jsonb refuses in a text. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/;

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

describe('problems of a JSON value', () => {
  it.each([
    ['{"a":{"b":"x\\u0000y"}}', 'a.b', /NUL/],
    ['{"a":[1,"\\ud83d"]}', 'a[1]', /surrogate/],
    ['{"a":9007199254740993}', 'a', /2\^53/],
    ['{"a":-9007199254740993}', 'a', /2\^53/],
    ['{"a":1e400}', 'a', /range of a double/],
    ['{"a":{"__proto__":{"admin":true}}}', 'a.__proto__', /never accepted/],
    ['{"x\\u0000":1}', 'x?', /NUL/],
    ['"\\u0000"', '(body)', /NUL/],
  ])('in %s are found', (text, path, message) => {
    expect(jsonProblems(JSON.parse(text))).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  it.each(['{"a":9007199254740991,"b":0.1,"c":"\\ud83d\\ude00","d":null,"e":[true,{}],"constructor":1}', '""', '[]'])(
    'are none in %s',
    (text) => {
      expect(jsonProblems(JSON.parse(text))).toEqual([]);
    },
  );

  it('are all listed, each with its place', () => {
    const value: unknown = JSON.parse('{"a":"\\u0000\\ud800","b":1e400,"__proto__":9007199254740993}');
    expect(jsonProblems(value).map(({ path }) => path)).toEqual(['a', 'a', 'b', '__proto__', '__proto__']);
  });

  it('are counted beyond the first fifty', () => {
    const problems = jsonProblems(Array.from({ length: 60 }, () => '\u0000'));
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toEqual({ path: '(body)', message: 'has 10 more problems' });
  });

  it('include nesting beyond 64 levels, also 100 000 of them', () => {
    expect(jsonProblems(nested(64))).toEqual([]);
    expect(jsonProblems(nested(66))).toHaveLength(1);
    expect(jsonProblems(nested(100_000))).toHaveLength(1);
  });

  it('can be stored when their place is cut within a character', () => {
    const lengths = Array.from({ length: 30 }, (_, index) => 180 + index);
    const values = lengths.map((length) => ({ [`${'x'.repeat(length)}\u{1f600}\u{1f600}`]: '\u0000' }));
    for (const value of values) expect(JSON.stringify(jsonProblems(value))).not.toMatch(UNSTORABLE);
  });

  it('can always be stored and logged themselves, whatever the member names are', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 260 }),
      fc.nat(220).map((length) => `${'x'.repeat(length)}\u{1f600}\u0000\ud800`),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.constantFrom('\u0000', 1, '\udfff')), (value) => {
        for (const problem of jsonProblems({ outer: value })) {
          expect(JSON.stringify(problem)).not.toMatch(UNSTORABLE);
          expect(problem.path).not.toMatch(/\p{Cc}/u);
          expect(problem.path.length).toBeLessThanOrEqual(200);
        }
      }),
    );
  });
});
