import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { Copy } from '../../tools/mutants/copy';
import { Launched } from '../support/demo/launched';
import { eventually } from '../support/harness';

const LIMIT_MS = 600_000;
const RELOAD_LIMIT_MS = 120_000;

let copy: Copy;
let dev: Launched | undefined;

beforeAll(() => {
  copy = new Copy('dev-copy');
});
afterAll(async () => {
  await dev?.end();
  copy?.remove();
}, LIMIT_MS);

it(
  'npm run dev lets people in, takes a changed source at the same place, and leaves nothing behind when interrupted',
  async () => {
    const running = new Launched(copy.folder, 'dev');
    dev = running;
    await running.ready();
    await running.runCanary(1);

    const said = 'spoken by the changed source';
    appendFileSync(path.join(copy.folder, 'src/handlers/canaries.ts'), `\nprocess.stdout.write('${said}\\n');\n`);
    await eventually('the reload', () => running.output.includes(said), RELOAD_LIMIT_MS);
    await eventually(
      'the service again',
      () =>
        running.runCanary(2).then(
          () => true,
          () => false,
        ),
      RELOAD_LIMIT_MS,
    );

    expect(await running.interrupt()).toEqual({ code: 0, left: [] });
  },
  LIMIT_MS,
);
