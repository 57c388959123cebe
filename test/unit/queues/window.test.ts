import { QueueWindow } from '../../../src/queues/window';
import { createLogger } from '../../../src/platform/logger';
import { eventually } from '../../support/harness/wait';

const LIMIT = 10;

/** A window that has looked once. */
async function windowOver(held: number, later: number, waiting = false): Promise<QueueWindow> {
  let looks = 0;
  const window = new QueueWindow(
    {
      size: () => Promise.resolve(held),
      sizeOfLater: () => Promise.resolve(later),
      anyWaiting: () => {
        looks += 1;
        return Promise.resolve(waiting);
      },
    },
    LIMIT,
    createLogger({ level: 'silent', service: 'test' }),
  );
  window.start();
  await eventually('it has looked', () => looks > 0);
  await window.stop();
  return window;
}

it.each([
  ['jobs that are due', 9, 0, 1],
  ['as many as it may', 10, 0, 0],
  ['jobs of another day', 10, 10, 10],
  ['both', 15, 10, 5],
  ['more jobs of another day than it may', 14, 14, 6],
  ['twice as many as it may', 20, 20, 0],
  ['more than it should', 40, 30, 0],
])('a Redis that holds %s (%i, of which %i later) has room for %i', async (_, held, later, room) => {
  const window = await windowOver(held, later);
  expect(window.isFull).toBe(room === 0);
  expect(window.take(room + 1)).toBe(false);
  expect(window.take(room)).toBe(true);
});

it('has no room for those that would overtake others', async () => {
  expect((await windowOver(0, 0, true)).isFull).toBe(true);
});

it('counts what it lets in, whether or not there was room for it', async () => {
  const window = await windowOver(8, 0);
  expect(window.take(3)).toBe(false);
  window.takeAnyway(3);
  expect(window.isFull).toBe(true);
});
