import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKOUT, LOCAL } from '../services/layout';

const GIT_LIMIT_MS = 20_000;

/** A copy of the tree that may be broken: nothing here touches the files that somebody works on. */
export class Copy {
  readonly folder: string;

  /** @param name of the copy's own folder: another copy of that name is removed */
  constructor(name: string) {
    this.folder = path.join(LOCAL, name);
    this.remove();
    for (const file of projectFiles()) cpSync(path.join(CHECKOUT, file), path.join(this.folder, file));
    symlinkSync(path.join(CHECKOUT, 'node_modules'), path.join(this.folder, 'node_modules'));
  }

  /** Does `work` while the patch is applied. @throws with git's reason when it does not apply */
  broken<Value>(patch: string, work: () => Value): Value {
    const whole = changedFiles(patch).map((file) => path.join(this.folder, file));
    const contents = whole.map((file) => readFileSync(file));
    try {
      this.git(['apply', '-C1', '--whitespace=nowarn', patch]);
      return work();
    } finally {
      whole.forEach((file, index) => writeFileSync(file, contents[index] ?? ''));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Outside any repository in git's eyes: there it takes paths as they stand in the patch. */
  private git(args: string[]): void {
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(this.folder) };
    execFileSync('git', args, { cwd: this.folder, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: GIT_LIMIT_MS });
  }
}

/** Tracked files and new ones, as they are now. */
function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
    timeout: GIT_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(path.join(CHECKOUT, file)));
}

function changedFiles(patch: string): string[] {
  return [...readFileSync(patch, 'utf8').matchAll(/^\+\+\+ b\/(.+)$/gm)].flatMap(([, file]) => file ?? []);
}
