import type { Stats } from 'node:fs';
import { lstat, opendir, realpath, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { OldDataSource, SweepAnswer, SweepOptions } from './source';

/**
 * Files below a folder, by the time of their last change. Folders stay.
 * @param named what files must be called to be taken for old data
 */
export function createFolderSource(folder: string, named = /^/): OldDataSource {
  return { sweep: (before, options) => sweepFolder(folder, named, before, options) };
}

/**
 * Symbolic links are neither followed nor removed, and before anything is opened or removed its folder must really be
 * inside: what was a folder a moment ago may be a link by now.
 */
async function sweepFolder(
  folder: string,
  named: RegExp,
  before: Date,
  { dryRun, signal }: SweepOptions,
): Promise<SweepAnswer> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return { kind: 'unavailable', message: 'the folder does not exist or cannot be read' };
  const swept = { found: 0, deleted: 0, failed: 0 };
  for await (const file of oldFiles(root, root, before)) {
    if (!named.test(path.basename(file))) continue;
    if (signal.aborted) return { kind: 'stopped', ...swept };
    swept.found += 1;
    if (dryRun) continue;
    if (await removed(file, root)) swept.deleted += 1;
    else swept.failed += 1;
  }
  return { kind: 'swept', ...swept };
}

/** What cannot be read is somebody else's, or gone: it is passed over. */
async function* oldFiles(folder: string, root: string, before: Date): AsyncGenerator<string> {
  if (!(await isInside(folder, root))) return;
  const entries = await opendir(folder).catch(() => undefined);
  if (!entries) return;
  for await (const entry of entries) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* oldFiles(place, root, before);
    else if (entry.isFile() && isOld(await lstat(place).catch(() => undefined), before)) yield place;
  }
}

function isOld(stats: Stats | undefined, before: Date): boolean {
  return stats !== undefined && stats.isFile() && stats.mtime < before;
}

async function removed(file: string, root: string): Promise<boolean> {
  if (!(await isInside(path.dirname(file), root))) return false;
  return unlink(file).then(
    () => true,
    // Gone already is as good.
    (error: unknown) => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT',
  );
}

async function isInside(folder: string, root: string): Promise<boolean> {
  const real = await realpath(folder).catch(() => undefined);
  return real === root || real?.startsWith(path.join(root, path.sep)) === true;
}
