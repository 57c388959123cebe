import { Copy } from '../../tools/mutants/copy';
import { Launched } from '../support/demo/launched';

const LIMIT_MS = 600_000;

let copy: Copy;
let demo: Launched | undefined;

beforeAll(() => {
  copy = new Copy('demo-kept');
});
afterAll(async () => {
  await demo?.end();
  copy?.remove();
}, LIMIT_MS);

it(
  'a demo that is kept lets people in, and leaves nothing behind when it is interrupted',
  async () => {
    demo = new Launched(copy.folder, 'demo', '--keep', '--orders', '50', '--seed', '3');
    await demo.ready();
    expect(demo.output).toMatch(/^AGREED after /m);
    await demo.runCanary(7);
    for (const [place, token] of [
      ['metrics', 'monitoring'],
      ['health', 'admin'],
      ['charges', 'user'],
      ['mails', 'user'],
    ] as const) {
      const headers = { authorization: `Bearer ${demo.printed(token)}` };
      expect([place, (await fetch(demo.printed(place), { headers })).status]).toEqual([place, 200]);
    }
    expect(await demo.interrupt()).toEqual({ code: 0, left: [] });
  },
  LIMIT_MS,
);
