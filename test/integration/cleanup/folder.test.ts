import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFolderSource } from '../../../src/providers/old-data/folder';

const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const BEFORE = new Date('2020-06-01T00:00:00Z');

let place: string;
let folder: string;
const file = (...parts: string[]): string => path.join(place, ...parts);
const sweep = (dryRun = false, signal = new AbortController().signal) =>
  createFolderSource(folder).sweep(BEFORE, { dryRun, signal });

function write(...parts: string[]): string {
  const name = file(...parts);
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(name, 'text');
  utimesSync(name, LONG_AGO, LONG_AGO);
  return name;
}

beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'old-data-'));
  folder = file('temp');
  mkdirSync(folder);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

it('removes old files of all folders inside, and leaves young ones', async () => {
  const old = [write('temp', 'a'), write('temp', 'deep', 'er', 'b')];
  const young = write('temp', 'deep', 'c');
  utimesSync(young, new Date(), new Date());
  expect(await sweep()).toEqual({ kind: 'swept', found: 2, deleted: 2, failed: 0 });
  expect(old.map(existsSync)).toEqual([false, false]);
  expect(existsSync(young)).toBe(true);
});

it('only counts in a dry run', async () => {
  const old = write('temp', 'a');
  expect(await sweep(true)).toEqual({ kind: 'swept', found: 1, deleted: 0, failed: 0 });
  expect(existsSync(old)).toBe(true);
});

it('touches nothing outside, wherever symbolic links lead', async () => {
  const outside = [write('elsewhere', 'a'), write('elsewhere', 'deep', 'b'), write('temporary', 'c')];
  symlinkSync(file('elsewhere'), file('temp', 'folder'));
  symlinkSync(outside[0] ?? '', file('temp', 'file'));
  expect(await sweep()).toEqual({ kind: 'swept', found: 0, deleted: 0, failed: 0 });
  expect(outside.map(existsSync)).toEqual([true, true, true]);
  expect(existsSync(file('temp', 'file'))).toBe(true);
});

it('touches nothing outside when a folder becomes a link while its files are being removed', async () => {
  for (const name of ['a', 'b', 'c']) write('temp', 'deep', name);
  const outside = ['a', 'b', 'c'].map((name) => write('elsewhere', name));
  const signal = new AbortController().signal;
  // Looked at before each file, when its folder was opened already.
  Object.defineProperty(signal, 'aborted', {
    get: () => {
      rmSync(file('temp', 'deep'), { recursive: true, force: true });
      symlinkSync(file('elsewhere'), file('temp', 'deep'));
      return false;
    },
  });
  expect(await sweep(false, signal)).toMatchObject({ kind: 'swept', deleted: 0 });
  expect(outside.map(existsSync)).toEqual([true, true, true]);
});

it('stops between two files when it is told to', async () => {
  write('temp', 'a');
  expect(await sweep(false, AbortSignal.abort())).toEqual({ kind: 'stopped', found: 0, deleted: 0, failed: 0 });
  expect(existsSync(file('temp', 'a'))).toBe(true);
});

it('says so when there is no such folder', async () => {
  rmSync(folder, { recursive: true });
  expect(await sweep()).toMatchObject({ kind: 'unavailable' });
});
