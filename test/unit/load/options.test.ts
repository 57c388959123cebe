import { readOptions } from '../../load/options';
import { chooseRows, ROWS } from '../../load/rows';

it('leaves it to the rows how much they measure unless told otherwise', () => {
  expect(readOptions([])).toMatchObject({ only: undefined, jobs: undefined, runs: undefined, assert: false });
});

it('reads what is asked for', () => {
  const argv = ['--only', 'throughput, latency', '--jobs', '300', '--runs', '1', '--assert', '--json', 'out.json'];
  expect(readOptions(argv)).toMatchObject({
    only: ['throughput', 'latency'],
    jobs: 300,
    runs: 1,
    assert: true,
    json: 'out.json',
  });
});

it.each([['--jobs', '0'], ['--jobs', 'many'], ['--runs', '1.5'], ['--runs', '101'], ['--unknown']])(
  'refuses %s %s',
  (...argv) => {
    expect(() => readOptions(argv)).toThrow();
  },
);

it('names the rows there are when one is asked for that does not exist', () => {
  expect(() => chooseRows(['througput'])).toThrow(/there is no row througput.*throughput/);
});

it('measures what takes long only when asked', () => {
  const usual = chooseRows(undefined).map(({ name }) => name);
  expect(usual).toEqual(expect.arrayContaining(['throughput', 'tiers', 'peers', 'latency']));
  expect(usual).not.toContain('soak');
  expect(usual).not.toContain('profile');
});

it('takes rows in their own order', () => {
  const names = ROWS.map(({ name }) => name);
  expect(chooseRows(names.toReversed()).map(({ name }) => name)).toEqual(names);
});
