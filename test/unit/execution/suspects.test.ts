import { SuspectLane } from '../../../src/execution/suspects';
import { gate } from '../../support/harness/wait';

describe("the suspects' lane", () => {
  it('runs one at a time, in order, and goes on after one that failed', async () => {
    const lane = new SuspectLane();
    const first = gate();
    const seen: string[] = [];
    const one = lane.run(async () => {
      seen.push('first begins');
      await first.opened;
      seen.push('first ends');
      throw new Error('it was the one');
    });
    const two = lane.run(async () => {
      seen.push('second');
      return 2;
    });

    await new Promise(setImmediate);
    expect(seen).toEqual(['first begins']);
    first.open();

    await expect(one).rejects.toThrow('it was the one');
    expect(await two).toBe(2);
    expect(seen).toEqual(['first begins', 'first ends', 'second']);
  });
});
