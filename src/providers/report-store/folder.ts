import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createFolderSource } from '../old-data/folder';
import { ask, unavailable, type ReportPlace } from './place';

/** Reports, and those that were never finished; somebody may keep other files beside them. */
const OURS = /^(\.[0-9a-f-]{36}\.(csv|json|pdf)\.[0-9a-f-]{36}|[0-9a-f-]{36}\.(csv|json|pdf))$/;

/** A folder that all replicas see: who serves a report may be another process than who wrote it. */
export function createReportFolder(folder: string): ReportPlace {
  return {
    location: 'folder',
    write: (key, _, content, signal) => write(folder, key, content, signal),
    read: (key) => ask('folder', () => read(path.join(folder, key))),
    remove: (key) => ask('folder', () => rm(path.join(folder, key), { force: true })),
    sweep: async (before) => {
      await createFolderSource(folder, OURS).sweep(before, { dryRun: false, signal: new AbortController().signal });
    },
  };
}

/** Under another name until it is whole and on disk. Errors of the content itself are thrown as they are. */
async function write(folder: string, key: string, content: Readable, signal: AbortSignal): Promise<void> {
  const unfinished = path.join(folder, `.${key}.${randomUUID()}`);
  await ask('folder', () => mkdir(folder, { recursive: true, mode: 0o750 }));
  try {
    await pipeline(content, createWriteStream(unfinished, { flags: 'wx', mode: 0o640, flush: true }), { signal });
    await ask('folder', () => rename(unfinished, path.join(folder, key)));
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw isFileError(error) ? unavailable('folder', error) : error;
  }
}

async function read(file: string): Promise<Readable | undefined> {
  try {
    return (await open(file, 'r')).createReadStream();
  } catch (error) {
    if (isFileError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isFileError(error: unknown): error is { code: unknown } {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
}
