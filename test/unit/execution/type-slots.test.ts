import { TypeSlots } from '../../../src/execution/type-slots';

async function acquired(slots: TypeSlots, type: string): Promise<() => void> {
  const release = await slots.acquire(type);
  if (!release) throw new Error('no slot');
  return release;
}

describe('slots of a type', () => {
  it('gives as many as the type allows, keeps as many again waiting, and sends the rest away', async () => {
    const slots = new TypeSlots(() => 2);
    await acquired(slots, 'a');
    await acquired(slots, 'a');
    const onDeck = [slots.acquire('a'), slots.acquire('a')];

    expect(await slots.acquire('a')).toBeUndefined();
    expect(await Promise.race([...onDeck, Promise.resolve('still waiting')])).toBe('still waiting');
  });

  it('hands a freed slot to who waits longest', async () => {
    const slots = new TypeSlots(() => 1);
    const release = await acquired(slots, 'a');
    const next = slots.acquire('a');
    release();

    expect(await next).toBeInstanceOf(Function);
    // The slot went on to it: whoever comes now waits again, and the one after is sent away.
    const waiting = slots.acquire('a');
    expect(await slots.acquire('a')).toBeUndefined();
    (await next)?.();
    expect(await waiting).toBeInstanceOf(Function);
  });

  it('is taken only if it is free by whoever must not wait', async () => {
    const slots = new TypeSlots(() => 1);
    const release = slots.take('a');
    expect(slots.take('a')).toBeUndefined();
    release?.();
    expect(slots.take('a')).toBeInstanceOf(Function);
    expect(await Promise.race([slots.acquire('a'), Promise.resolve('waiting')])).toBe('waiting');
  });

  it('is free again when nobody waits', async () => {
    const slots = new TypeSlots(() => 1);
    (await acquired(slots, 'a'))();
    expect(await slots.acquire('a')).toBeInstanceOf(Function);
  });

  it('counts every type for itself', async () => {
    const slots = new TypeSlots((type) => (type === 'a' ? 1 : 3));
    await acquired(slots, 'a');
    const others = await Promise.all(['b', 'b', 'b'].map((type) => slots.acquire(type)));
    expect(others.every(Boolean)).toBe(true);
  });
});
