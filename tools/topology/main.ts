/**
 * `npm run topology` writes what others read of this service's place on the broker; `-- --check` fails when a file is not
 * what src/ says.
 *
 * topology/definitions.json: exchanges, queues and bindings, which RabbitMQ imports (`rabbitmqctl import_definitions FILE`,
 * or management's POST /api/definitions/<virtual host>).
 * topology/asyncapi.json: every message in and out, as AsyncAPI 3.0.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { asyncApi } from './asyncapi';
import { definitions } from './definitions';

const FOLDER = path.resolve(__dirname, '../../topology');
const DOCUMENTS = { 'definitions.json': definitions, 'asyncapi.json': asyncApi };

function main(argv: string[]): number {
  const { values } = parseArgs({ args: argv, options: { check: { type: 'boolean', default: false } } });
  const step = values.check ? isFresh : write;
  const results = Object.entries(DOCUMENTS).map(([name, generate]) =>
    step(path.join(FOLDER, name), `${JSON.stringify(generate(), null, 2)}\n`),
  );
  return results.every(Boolean) ? 0 : 1;
}

function write(file: string, text: string): boolean {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${shown(file)} written`);
  return true;
}

function isFresh(file: string, text: string): boolean {
  if (text === readIfThere(file)) return true;
  console.error(`${shown(file)} is not what src/ says: run npm run topology`);
  return false;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function shown(file: string): string {
  return path.relative(process.cwd(), file);
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
