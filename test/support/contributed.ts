import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A block of code in CONTRIBUTING.md: a new file, or lines that go into one that exists. */
export interface Contribution {
  file: string;
  /** The line of the file after which they go, but for imports; undefined for a new file. */
  after: string | undefined;
  lines: string[];
}

/** What a section of CONTRIBUTING.md tells to write, in its order. */
export function readContributions(text: string): Contribution[] {
  return [...text.matchAll(/^```ts\n\/\/ (.+)\n([^]*?)\n```$/gm)].map(([, head = '', code = '']) => {
    const [, addedTo, after] = /^added to (\S+) after: (.+)$/.exec(head) ?? [];
    return { file: addedTo ?? head, after, lines: code.split('\n') };
  });
}

/** Does in a copy of the tree what a contributor would. @throws when the file is not as the text says */
export function contribute(folder: string, { file, after, lines }: Contribution): void {
  const place = path.join(folder, file);
  if (after === undefined) return writeFileSync(place, `${lines.join('\n')}\n`, { flag: 'wx' });
  const before = readFileSync(place, 'utf8').split('\n');
  const imports = lines.filter((line) => line.startsWith('import '));
  const entries = lines.filter((line) => !line.startsWith('import '));
  const lastImport = before.findLastIndex((line) => line.startsWith('import '));
  const opening = before.findIndex((line) => line.trim() === after);
  if (lastImport === -1 || opening <= lastImport) throw new Error(`${file} has no line: ${after}`);
  const whole = [
    ...before.slice(0, lastImport + 1),
    ...imports,
    ...before.slice(lastImport + 1, opening + 1),
    ...entries,
    ...before.slice(opening + 1),
  ];
  writeFileSync(place, whole.join('\n'));
}
