import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKOUT } from '../../../tools/services/layout';
import { installPackages } from './install';
import { createDatabase, dropDatabase } from './place';

const STEP_LIMIT_MS = 2 * 60_000;
/** What a build is made of. */
const BUILD_INPUTS = ['src', 'migrations', 'tools', 'tsconfig.json', 'package-lock.json'];

/** A built service, with a migrated database to copy. */
export interface Build {
  folder: string;
  template: string;
  remove: () => Promise<void>;
}

export function buildCheckout(): Promise<Build> {
  return build(CHECKOUT, 'this', () => undefined);
}

/** Another commit, in a work tree of its own. */
export async function buildCommit(commit: string, folder: string): Promise<Build> {
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
    git('worktree', 'prune');
  };
  remove();
  git('worktree', 'add', '--detach', folder, commit);
  try {
    givePackages(folder);
    return await build(folder, 'other', remove);
  } catch (error) {
    remove();
    throw error;
  }
}

/** The short name of what is checked out, with a mark when something is not committed. */
export function commitOf(folder: string): string {
  return git('-C', folder, 'describe', '--always', '--dirty', '--exclude=*').trim();
}

async function build(folder: string, name: string, removeFolder: () => void): Promise<Build> {
  compile(folder);
  const template = `bench_template_${process.pid}_${name}`;
  await dropDatabase(template);
  try {
    node(folder, { DATABASE_URL: await createDatabase(template) }, 'dist/migrate.js');
  } catch (error) {
    await dropDatabase(template);
    throw error;
  }
  return {
    folder,
    template,
    remove: async () => {
      await dropDatabase(template);
      removeFolder();
    },
  };
}

/** Unless it was done for the same sources. Whoever builds otherwise removes the stamp with all the rest. */
function compile(folder: string): void {
  const stamp = path.join(folder, 'dist', '.bench-sources');
  const sources = digestOf(folder, BUILD_INPUTS);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  node(folder, {}, 'tools/build.mjs');
  writeFileSync(stamp, sources);
}

function digestOf(folder: string, places: string[]): string {
  const hash = createHash('sha256');
  const files = places.flatMap((place) => filesBelow(path.join(folder, place))).toSorted();
  for (const file of files) hash.update(`${path.relative(folder, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

function filesBelow(place: string): string[] {
  if (statSync(place).isFile()) return [place];
  const entries = readdirSync(place, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Those of the checkout where they are the same. */
function givePackages(folder: string): void {
  const lockOf = (place: string): string => readFileSync(path.join(place, 'package-lock.json'), 'utf8');
  if (lockOf(folder) !== lockOf(CHECKOUT)) installPackages(folder);
  else symlinkSync(path.join(CHECKOUT, 'node_modules'), path.join(folder, 'node_modules'));
}

function node(folder: string, variables: Record<string, string>, program: string): void {
  execFileSync(process.execPath, [program], {
    cwd: folder,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: STEP_LIMIT_MS,
  });
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: CHECKOUT, encoding: 'utf8', timeout: STEP_LIMIT_MS });
}
