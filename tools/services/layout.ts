import path from 'node:path';
import type { ServerName } from './types';

export const CHECKOUT = path.resolve(__dirname, '../..');
export const LOCAL = path.join(CHECKOUT, '.local');

/** A set's folder. The name becomes part of a path, so only tame ones pass. */
export function setDirectory(set: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(set)) {
    throw new Error(`a set's name has lower-case letters, digits and dashes only, not ${JSON.stringify(set)}`);
  }
  return path.join(LOCAL, set);
}

export const serverDirectory = (set: string, server: ServerName): string => path.join(setDirectory(set), server);

/** Each server's output. Beside its data folder and not in it: PostgreSQL insists on an empty one at first. */
export const logFile = (set: string, server: ServerName | 'epmd'): string =>
  path.join(setDirectory(set), `${server}.log`);
