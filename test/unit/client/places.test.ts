import { Places } from '../../../src/client/places';

const NEVER_MS = 1_000_000;

it('gives out as many places as there are, and a place that was given back once more', async () => {
  const places = new Places(2);
  const first = places.takeNow();
  expect(first).toBeDefined();
  expect(await places.take(NEVER_MS)).toBeDefined();
  expect(places.takeNow()).toBeUndefined();
  first?.();
  expect(places.takeNow()).toBeDefined();
  expect(places.takeNow()).toBeUndefined();
});

it('a place that is given back twice is one place', () => {
  const places = new Places(1);
  const place = places.takeNow();
  place?.();
  place?.();
  expect(places.takeNow()).toBeDefined();
  expect(places.takeNow()).toBeUndefined();
});

it('hands a place to whoever waits longest', async () => {
  const places = new Places(2);
  const held = [places.takeNow(), places.takeNow()];
  const order: string[] = [];
  const first = places.take(NEVER_MS).then((place) => {
    order.push('first');
    return place;
  });
  const second = places.take(NEVER_MS).then(() => order.push('second'));
  held[0]?.();
  const place = await first;
  expect(order).toEqual(['first']);
  expect(places.takeNow()).toBeUndefined();
  place?.();
  await second;
  expect(order).toEqual(['first', 'second']);
});

it('lets no more wait than there are places', async () => {
  const places = new Places(1);
  const held = places.takeNow();
  const waiting = places.take(NEVER_MS);
  expect(await places.take(NEVER_MS)).toBeUndefined();
  held?.();
  expect(await waiting).toBeDefined();
});

it('who waited in vain takes no place, and leaves room to wait', async () => {
  const places = new Places(1);
  const held = places.takeNow();
  expect(await places.take(1)).toBeUndefined();
  const waiting = places.take(NEVER_MS);
  held?.();
  expect(await waiting).toBeDefined();
});
