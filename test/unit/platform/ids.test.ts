import { sha256, uuidV5, uuidV7, uuidV7Floor } from '../../../src/platform/ids';

describe('ids', () => {
  it('names things as RFC 9562, appendix A.4 does', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('puts the milliseconds first, as RFC 9562, appendix A.6: later ids sort behind earlier ones', () => {
    const id = uuidV7(0x017f22e279b0);
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuidV7(2) > uuidV7(1)).toBe(true);
  });

  it('never gives the same version 7 twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => uuidV7(1))).size).toBe(10_000);
  });

  it('knows a bound between the ids of one moment and those of the moments before', () => {
    const ids = Array.from({ length: 100 }, () => [uuidV7(1_000), uuidV7(999)] as const);
    expect(ids.every(([now, earlier]) => now >= uuidV7Floor(1_000) && earlier < uuidV7Floor(1_000))).toBe(true);
  });

  it('digests text and bytes alike', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256(Buffer.from('abc'))).toBe(sha256('abc'));
  });
});
