/** One thing that is wrong with an input: where (a JSON path such as `data.amount`) and what, without the value itself. */
export interface Problem {
  path: string;
  message: string;
}

/** Deeper nesting has no honest use here and lets a small body exhaust the stack. */
const MAX_DEPTH = 64;
/** Enough to mend a message by; the answer to a hostile body could otherwise be larger than the broker takes. */
export const MAX_PROBLEMS = 50;

/** Longer paths (and member names in them) are cut: a path is for people, and its text comes from outside. */
const MAX_PATH_LENGTH = 200;

/**
 * Finds what JSON can say but the rest of the system cannot keep: NUL characters and lone surrogates (PostgreSQL refuses
 * them), integers beyond 2^53 (JSON.parse has already changed them), members named `__proto__`, and excessive nesting.
 */
export function jsonProblems(value: unknown): Problem[] {
  const problems: Problem[] = [];
  let found = 0;
  const add = (path: string, message: string): void => {
    found += 1;
    // Made well-formed once more, since the cut may go through a surrogate pair.
    const place = path.slice(0, MAX_PATH_LENGTH).toWellFormed() || '(body)';
    if (problems.length < MAX_PROBLEMS) problems.push({ path: place, message });
  };
  const visit = (node: unknown, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) return add(path, `nested deeper than ${MAX_DEPTH} levels`);
    if (typeof node === 'string') return checkText(node, path, add);
    if (typeof node === 'number') return checkNumber(node, path, add);
    if (typeof node !== 'object' || node === null) return;
    for (const [name, member] of Object.entries(node)) {
      const memberPath = Array.isArray(node)
        ? `${path}[${name}]`
        : path
          ? `${path}.${printable(name)}`
          : printable(name);
      if (!Array.isArray(node)) checkName(name, memberPath, add);
      visit(member, memberPath, depth + 1);
    }
  };
  visit(value, '', 0);
  return withMore(problems, found);
}

/** Says how many problems there were in all, where not every one is listed. */
export function withMore(listed: Problem[], found: number): Problem[] {
  if (found <= listed.length) return listed;
  return [...listed, { path: '(body)', message: `has ${found - listed.length} more problems` }];
}

type AddProblem = (path: string, message: string) => void;

function checkText(text: string, path: string, add: AddProblem): void {
  if (text.includes('\u0000')) add(path, 'contains a NUL character');
  if (!text.isWellFormed()) add(path, 'contains a lone surrogate, which is not valid Unicode');
}

function checkNumber(number: number, path: string, add: AddProblem): void {
  if (!Number.isFinite(number)) add(path, 'is a number beyond the range of a double');
  else if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    add(path, 'is an integer beyond 2^53, which JSON readers change silently');
  }
}

function checkName(name: string, path: string, add: AddProblem): void {
  if (name === '__proto__') add(path, 'is a member name that is never accepted');
  checkText(name, path, add);
}

/** A member name as it may stand in a path, a log line and a jsonb column. */
function printable(name: string): string {
  return name.toWellFormed().replaceAll(/\p{Cc}/gu, '?');
}
