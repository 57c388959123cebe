import { describeCheck, missed, type Check } from '../../load/checks';

function check(over: Partial<Check>): Check {
  return { what: 'speed', value: 0.8, first: 0.7, goal: 0.85, better: 'more', unit: ' ×', ...over };
}

describe('what was missed', () => {
  it.each<[string, Partial<Check>, boolean]>([
    ['more than enough', { value: 0.71 }, false],
    ['exactly enough', { value: 0.7 }, false],
    ['too little', { value: 0.69 }, true],
    ['less than allowed', { better: 'less', first: 10, value: 9 }, false],
    ['exactly what is allowed', { better: 'less', first: 10, value: 10 }, false],
    ['more than allowed', { better: 'less', first: 10, value: 11 }, true],
    ['what could not be measured', { value: Number.NaN }, true],
    ['what could not be measured, of which less is better', { better: 'less', value: Number.NaN }, true],
  ])('%s', (_, over, expected) => {
    expect(missed([check(over)]).length > 0).toBe(expected);
  });
});

it.each([
  [0.9, 'reached'],
  [0.8, 'first reached'],
  [0.5, 'MISSED'],
])('%d is told to be %s', (value, verdict) => {
  expect(describeCheck(check({ value }))).toEqual(['speed', `${value.toFixed(3)} ×`, '≥ 0.7 ×', '≥ 0.85 ×', verdict]);
});
