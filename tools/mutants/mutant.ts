import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A guard rail taken out of src/, and the test that must notice. */
export interface Mutant {
  /** The patch file. */
  file: string;
  removes: string;
  /** The test's file and its full name, as jest puts the names together. */
  test: string;
  name: string;
}

const HEADER = { removes: 'Removes: ', test: 'Test: ', name: 'Name: ' };

/** Every patch of the folder, with what its first lines say. */
export function readMutants(folder: string): Mutant[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.patch'));
  return files.toSorted((one, other) => (one < other ? -1 : 1)).map((file) => readMutant(path.join(folder, file)));
}

function readMutant(file: string): Mutant {
  const lines = readFileSync(file, 'utf8').split('\n');
  const read = (label: string): string => {
    const line = lines.find((one) => one.startsWith(label));
    if (line === undefined) throw new Error(`${file}: a line "${label}…" is missing`);
    return line.slice(label.length).trim();
  };
  return { file, removes: read(HEADER.removes), test: read(HEADER.test), name: read(HEADER.name) };
}
