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
  const add = (place: Place | undefined, message: string): void => {
    found += 1;
    if (problems.length < MAX_PROBLEMS) problems.push({ path: pathOf(place) || '(body)', message });
  };
  const visit = (node: unknown, place: Place | undefined, depth: number): void => {
    if (depth > MAX_DEPTH) return add(place, `nested deeper than ${MAX_DEPTH} levels`);
    if (typeof node === 'string') return checkText(node, place, add);
    if (typeof node === 'number') return checkNumber(node, place, add);
    if (typeof node !== 'object' || node === null) return;
    const isArray = Array.isArray(node);
    for (const [name, member] of Object.entries(node)) {
      const memberPlace = { within: place, name, isIndex: isArray };
      if (!isArray) checkName(name, memberPlace, add);
      visit(member, memberPlace, depth + 1);
    }
  };
  visit(value, undefined, 0);
  return withMore(problems, found);
}

/** Says how many problems there were in all, where not every one is listed. */
export function withMore(listed: Problem[], found: number): Problem[] {
  if (found <= listed.length) return listed;
  return [...listed, { path: '(body)', message: `has ${found - listed.length} more problems` }];
}

/** Where something is, written out only when something is wrong with it. */
interface Place {
  within: Place | undefined;
  name: string;
  isIndex: boolean;
}

/** For people, and of bounded length. */
function pathOf(place: Place | undefined): string {
  // Made well-formed once more, since the cut may go through a surrogate pair.
  return wholePathOf(place).slice(0, MAX_PATH_LENGTH).toWellFormed();
}

function wholePathOf(place: Place | undefined): string {
  if (!place) return '';
  const outer = wholePathOf(place.within);
  if (place.isIndex) return `${outer}[${place.name}]`;
  const name = printable(place.name.slice(0, MAX_PATH_LENGTH));
  return outer ? `${outer}.${name}` : name;
}

type AddProblem = (place: Place | undefined, message: string) => void;

function checkText(text: string, place: Place | undefined, add: AddProblem): void {
  if (text.includes('\u0000')) add(place, 'contains a NUL character');
  if (!text.isWellFormed()) add(place, 'contains a lone surrogate, which is not valid Unicode');
}

function checkNumber(number: number, place: Place | undefined, add: AddProblem): void {
  if (!Number.isFinite(number)) add(place, 'is a number beyond the range of a double');
  else if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    add(place, 'is an integer beyond 2^53, which JSON readers change silently');
  }
}

function checkName(name: string, place: Place, add: AddProblem): void {
  if (name === '__proto__') add(place, 'is a member name that is never accepted');
  checkText(name, place, add);
}

/** A member name as it may stand in a path, a log line and a jsonb column. */
function printable(name: string): string {
  return name.toWellFormed().replaceAll(/\p{Cc}/gu, '?');
}
