/** The service account of the stand-in: known to everybody, and good for nothing else. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const file = z.looseObject({ project_id: z.string(), client_email: z.string(), private_key: z.string() });

export const account = file.parse(JSON.parse(readFileSync(path.join(__dirname, 'service-account.json'), 'utf8')));
export const publicKey = createPublicKey(account.private_key);
