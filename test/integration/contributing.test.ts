/** CONTRIBUTING.md is followed to the letter: what it tells to write is all that a job type needs. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Copy } from '../../tools/mutants/copy';
import { runTests } from '../../tools/mutants/jest';
import { contribute, readContributions } from '../support/contributed';

const ROOT = path.join(__dirname, '../..');
const LIMIT_MS = 180_000;

const guide = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8');
const [, section = ''] = /\n## Adding a job type\n([^]*?)\n## /.exec(guide) ?? [];
const contributions = readContributions(section);
const created = contributions.filter(({ after }) => after === undefined).map(({ file }) => file);
const changed = contributions.filter(({ after }) => after !== undefined);

describe('adding a job type as CONTRIBUTING.md says', () => {
  let copy: Copy;

  beforeAll(() => {
    copy = new Copy('contributing');
    for (const contribution of contributions) contribute(copy.folder, contribution);
  });
  afterAll(() => copy?.remove());

  /** Runs a program in the copy; answers with what it said when it was not content. */
  function complaintsOf(...program: string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, program, {
      cwd: copy.folder,
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    return status === 0 ? '' : `${status}: ${stdout}${stderr}`;
  }

  it('takes the files and lines that it says', () => {
    expect(created).toHaveLength(3);
    expect(changed.map(({ file }) => file)).toEqual(['src/catalogue/index.ts', 'src/handlers/index.ts']);
    expect(changed.flatMap(({ lines }) => lines)).toHaveLength(4);
    expect(section).toContain('Three new files and four lines in two others');
  });

  it('needs the generated files to be written anew, and nothing else there', () => {
    const topology = ['--import', 'tsx', 'tools/topology/main.ts'];
    expect(complaintsOf(...topology, '--check')).toContain('asyncapi.json is not what src/ says');
    expect(complaintsOf(...topology)).toBe('');
    const generated = (folder: string, name: string) => readFileSync(path.join(folder, 'topology', name), 'utf8');
    expect(generated(copy.folder, 'asyncapi.json')).toContain('"address": "background.basket-total"');
    expect(generated(copy.folder, 'definitions.json')).toBe(generated(ROOT, 'definitions.json'));
  });

  it(
    'leaves types, import arrows and format in order',
    () => {
      expect(complaintsOf('node_modules/typescript/bin/tsc', '--noEmit')).toBe('');
      expect(complaintsOf('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', 'migrations')).toBe('');
      const files = contributions.map(({ file }) => file);
      expect(complaintsOf('node_modules/prettier/bin/prettier.cjs', '--check', ...files)).toBe('');
    },
    LIMIT_MS,
  );

  it(
    'gives a job that runs, by the very test that it tells to write',
    () => {
      const name = 'a basket costs what its prices add up to';
      const run = runTests(copy.folder, ['test/integration/basket-total.test.ts'], [name], LIMIT_MS);
      expect([run.status.get(name), run.message]).toEqual(['passed', '']);
    },
    LIMIT_MS,
  );
});
