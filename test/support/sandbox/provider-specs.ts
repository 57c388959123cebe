/**
 * The providers' own specifications and fixtures, which are not part of this project: `PROVIDER_SPECS_DIR` says where they
 * are, otherwise ../shared/provider-specs beside the repository. Tests that need them say so and are skipped without.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const DIRECTORY = path.resolve(ROOT, process.env['PROVIDER_SPECS_DIR'] ?? '../shared/provider-specs');

/** Undefined, with a notice, when any of the files is absent. */
export function readProviderSpecs<const Name extends string>(...names: Name[]): Record<Name, unknown> | undefined {
  const missing = names.filter((name) => !existsSync(path.join(DIRECTORY, name)));
  if (missing.length > 0) {
    process.stderr.write(`Skipped: no ${missing.join(', ')} in ${DIRECTORY} (set PROVIDER_SPECS_DIR)\n`);
    return undefined;
  }
  const entries = names.map((name) => [name, JSON.parse(readFileSync(path.join(DIRECTORY, name), 'utf8'))] as const);
  // One entry for each name, which Object.fromEntries cannot say.
  return Object.fromEntries(entries) as Record<Name, unknown>;
}
