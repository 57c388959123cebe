// Rules that no linter has: nothing unfinished or pretended in src/, no addresses of a developer's machine in it, no
// holes in the types, files that can be read at one go, and no file that speaks of the place where it was written.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const MAX_LINES = 300;
const MAX_MEDIAN = 120;

const isSource = (file) => file.startsWith('src/');
const isCode = (file) => /^(src|migrations)\/.*\.ts$/.test(file);

const RULES = [
  {
    what: 'a word of unfinished or pretended work',
    applies: isSource,
    pattern: /\b(TODO|FIXME|stub|simulat|fake|mock|not implemented|for now\b|placeholder|failpoint)\w*/i,
  },
  {
    what: "an address of a developer's machine",
    // The documented defaults of the configuration may name them.
    applies: (file) => isSource(file) && !file.startsWith('src/config/'),
    pattern: /\b127\.0\.0\.1\b|\blocalhost\b|\[::1\]/i,
  },
  {
    what: 'a hole in the types or the lint rules',
    applies: isCode,
    pattern: /\bas any\b|\bas unknown as\b|@ts-ignore|@ts-expect-error|@ts-nocheck|(eslint|oxlint)-disable/,
  },
  {
    what: "a word about somebody's workplace",
    // Package locks hold what npm writes.
    applies: (file) => file !== 'package-lock.json',
    pattern: /(?<![\w.~$}-])\/(work|tmp|root|Users|home(?!\/node\b))\/\w[\w.-]*|\bissues? #\d+/i,
  },
];

/** Tracked files, and new ones that are not ignored: they will be tracked with the next commit. */
function projectFiles() {
  const options = { cwd: ROOT, encoding: 'utf8', timeout: 20_000, maxBuffer: 64 * 1024 * 1024 };
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], options);
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
}

const findings = [];
const lengths = [];
for (const file of projectFiles()) {
  const bytes = readFileSync(path.join(ROOT, file));
  if (bytes.includes(0)) continue;
  const lines = bytes.toString().trimEnd().split('\n');
  const rules = RULES.filter((rule) => rule.applies(file));
  lines.forEach((line, index) => {
    for (const { what, pattern } of rules) {
      const found = pattern.exec(line)?.[0];
      if (found) findings.push(`${file}:${index + 1}: ${what}: ${found}`);
    }
  });
  if (!isSource(file)) continue;
  lengths.push(lines.length);
  if (lines.length > MAX_LINES) findings.push(`${file}: ${lines.length} lines, more than ${MAX_LINES}`);
}

const median = lengths.sort((one, other) => one - other)[Math.floor(lengths.length / 2)] ?? 0;
if (median > MAX_MEDIAN)
  findings.push(`src/: half of the files have more than ${median} lines, the limit is ${MAX_MEDIAN}`);
for (const finding of findings) console.log(finding);
process.exitCode = findings.length > 0 ? 1 : 0;
