import path from 'node:path';
import { z } from 'zod';

/** `sessions.expires_at`: a table, and its column that says how old a row is. */
export const oldRows = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,39}\.[a-z_][a-z0-9_]{0,39}$/, 'must be a table and a column, such as sessions.expires_at')
  .transform((text) => {
    const [table = '', column = ''] = text.split('.');
    return { table, column };
  });

export const folder = z
  .string()
  .refine((place) => path.isAbsolute(place) && path.resolve(place) !== '/', 'must be the absolute path of a folder')
  .transform((place) => path.resolve(place));
