import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HTTP_ERRORS } from '../../../src/contract/http';

const page = readFileSync(path.join(__dirname, '../../../docs/errors.md'), 'utf8');

it.each(Object.entries(HTTP_ERRORS))('docs/errors.md tells of %s with its status', (code, { status }) => {
  const told = [new RegExp(`^\\| \`${code}\` +\\| ${status} `, 'm'), new RegExp(`\`${code}\`[^|]*\\(${status}\\)`)];
  expect(told.some((pattern) => pattern.test(page))).toBe(true);
});
