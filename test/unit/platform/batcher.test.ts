import { Batcher } from '../../../src/platform/batcher';
import { gate } from '../../support/harness/wait';

describe('a batcher', () => {
  it('flushes what is ready at once, and what came meanwhile together', async () => {
    const sizes: number[] = [];
    const first = gate();
    const batcher = new Batcher<number, number>(async (items) => {
      sizes.push(items.length);
      if (sizes.length === 1) await first.opened;
      return items.map((item) => item * 2);
    });
    const early = [batcher.submit(1), batcher.submit(2)];
    await new Promise((resolve) => setImmediate(resolve));
    const late = [3, 4, 5].map((item) => batcher.submit(item));
    expect(sizes).toEqual([2]);
    first.open();
    expect(await Promise.all([...early, ...late])).toEqual([2, 4, 6, 8, 10]);
    expect(sizes).toEqual([2, 3]);
  });

  it('makes no batch larger than it may', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>((items) => {
      sizes.push(items.length);
      return Promise.resolve(items);
    }, 2);
    expect(await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.submit(item)))).toEqual([1, 2, 3, 4, 5]);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('rejects every item of a batch that fails, and goes on with the next', async () => {
    let calls = 0;
    const batcher = new Batcher<number, number>((items) => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error('away')) : Promise.resolve(items);
    });
    const failed = await Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await batcher.submit(3)).toBe(3);
  });

  it('does not give one item the answer of another when answers are missing', async () => {
    const batcher = new Batcher<number, number>((items) => Promise.resolve(items.slice(1)));
    const answers = await Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
