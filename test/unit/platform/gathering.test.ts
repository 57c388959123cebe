import { Batcher } from '../../../src/platform/batcher';
import { Gathering } from '../../../src/platform/gathering';

const ONE_BY_ONE_MS = 10;
const QUICKLY_MS = 1;
const A_WHILE = 20;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

async function after(gapMs: number): Promise<Gathering> {
  const gathering = new Gathering();
  for (let item = 0; item < A_WHILE; item += 1) {
    await jest.advanceTimersByTimeAsync(gapMs);
    gathering.note(1);
  }
  return gathering;
}

async function waits(gathering: Gathering, waiting: number): Promise<boolean> {
  let over = false;
  void gathering.wait(waiting).then(() => (over = true));
  await jest.advanceTimersByTimeAsync(0);
  const waited = !over;
  await jest.runAllTimersAsync();
  expect(over).toBe(true);
  return waited;
}

it('nobody waits for others where they come one by one', async () => {
  expect(await waits(await after(ONE_BY_ONE_MS), 1)).toBe(false);
});

it('whoever comes where they come quickly waits for others, unless there are enough of them', async () => {
  const gathering = await after(QUICKLY_MS);
  expect([await waits(gathering, 1), await waits(gathering, 100)]).toEqual([true, false]);
});

it('nobody waits any more once they come one by one again', async () => {
  const gathering = await after(QUICKLY_MS);
  await jest.advanceTimersByTimeAsync(1_000);
  gathering.note(1);
  expect(await waits(gathering, 1)).toBe(false);
});

it('what comes meanwhile goes in the same batch', async () => {
  const sizes: number[] = [];
  const flush = (items: number[]): Promise<number[]> => {
    sizes.push(items.length);
    return Promise.resolve(items);
  };
  const batcher = new Batcher(flush, 200, await after(QUICKLY_MS));
  const first = batcher.submit(1);
  await jest.advanceTimersByTimeAsync(QUICKLY_MS);
  const second = batcher.submit(2);
  await jest.runAllTimersAsync();
  expect([await first, await second, sizes]).toEqual([1, 2, [2]]);
});
