/** What the documents promise is held by tests that exist, under the names that the documents give. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../../..');

/** Titles as they stand in the test files, by file. A title in a table of cases counts with its text. */
function testTitles(): Map<string, string> {
  const files = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  return new Map(
    files
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => [`test/${file}`, readFileSync(path.join(ROOT, 'test', file), 'utf8')]),
  );
}

/** Rows of a document: `- \`file\`: "title"`. */
function promisedTests(document: string): { file: string; title: string; section: string }[] {
  let section = '';
  return readFileSync(path.join(ROOT, 'docs', document), 'utf8')
    .split('\n')
    .flatMap((line) => {
      section = /^## (.*)$/.exec(line)?.[1] ?? section;
      const [, file, title] = /^- `(test\/[^`]+)`: "(.+)"$/.exec(line) ?? [];
      return file === undefined || title === undefined ? [] : [{ file, title, section }];
    });
}

/** Pains that guard money: each is shown with the bare library, and then with ours. */
const PAINS = [1, 4, 5, 6, 15, 21, 22, 25, 29, 30];

describe('docs/invariants.md', () => {
  const titles = testTitles();
  const promised = promisedTests('invariants.md');

  it('names at least one test for each of the nine invariants', () => {
    expect(new Set(promised.map(({ section }) => section)).size).toBe(9);
  });

  it.each(promised)('$file has "$title"', ({ file, title }) => {
    expect(titles.get(file) ?? '(no such file)').toContain(title);
  });
});

describe('docs/pains.md', () => {
  const titles = testTitles();

  it.each(promisedTests('pains.md'))('$file has "$title"', ({ file, title }) => {
    expect(titles.get(file) ?? '(no such file)').toContain(title);
  });
});

describe('pains', () => {
  const all = [...testTitles().values()].join('\n');

  it.each(PAINS)('%i is shown by the bare library and answered by ours', (pain) => {
    expect(all).toMatch(new RegExp(`\\b(it|test)\\(\\s*['"\`]pain ${pain}: bare `));
    expect(all).toMatch(new RegExp(`\\b(it|test)\\(\\s*['"\`]pain ${pain}: ours `));
  });
});
