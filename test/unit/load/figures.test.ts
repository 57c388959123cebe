import { median, medianInterval, percentile, ratiosOf, summary } from '../../load/figures';

describe('a median', () => {
  it.each([
    [[7], 7],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is not a number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('a percentile', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [0, 1],
    [0.5, 51],
    [0.95, 96],
    [0.99, 100],
    [1, 100],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    expect(percentile(values, share)).toBe(expected);
  });

  it('leaves the values in their order', () => {
    expect(values[0]).toBe(100);
  });
});

describe('the interval of a median', () => {
  const ratios = Array.from({ length: 20 }, (_, index) => index + 1);

  // The ranks that tables of the sign test give, for example Conover, "Practical Nonparametric Statistics", table A3.
  it('of 20 values goes from the 6th to the 15th', () => {
    expect(medianInterval(ratios.toReversed())).toEqual([6, 15]);
  });

  it('of 6 values is all of them', () => {
    expect(medianInterval([5, 3, 1, 2, 6, 4])).toEqual([1, 6]);
  });

  it('does not exist for 5 values: no two of them hold the median with that confidence', () => {
    expect(medianInterval([1, 2, 3, 4, 5])).toBeUndefined();
  });

  it('is narrower for less confidence', () => {
    expect(medianInterval(ratios, 0.8)).toEqual([7, 14]);
  });
});

it('a summary names the median and the extremes; one value stands for itself', () => {
  expect(summary([300, 100, 200])).toBe('200 [100..300]');
  expect(summary([0.5])).toBe('0.500');
});

it('ratios are those of the turns of one round', () => {
  const measured = [
    { contestant: 'one', figure: 'jobs/s', values: [10, 30] },
    { contestant: 'one', figure: 'CPU', values: [1, 1] },
    { contestant: 'other', figure: 'jobs/s', values: [20, 10] },
  ];
  expect(ratiosOf(measured, 'jobs/s', 'one', 'other')).toEqual([0.5, 3]);
});
