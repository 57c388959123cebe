/** What people look at after a sale: the day's report, as a table and as a PDF, and one of the mails. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { waitFor } from '../services/wait';
import type { Stage } from './stage';

const REPORT_LIMIT_MS = 60_000;
const CALL_LIMIT_MS = 10_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Each with what such a file begins with. */
const FORMATS = { csv: '\ufeffKind,', pdf: '%PDF-' };

const created = z.object({ jobId: z.uuid() });
const job = z.object({ state: z.string(), result: z.object({ url: z.string(), rows: z.int() }).nullable() });
const mails = z.object({ mails: z.array(z.object({ html: z.string().optional() })) });

/** Asks for them as anybody would, by HTTP, and saves them. @throws when one cannot be had, or is not what it should be */
export async function saveKeepsakes(stage: Stage): Promise<string[]> {
  const folder = path.join(stage.folder, 'keepsakes');
  mkdirSync(folder, { recursive: true });
  const files = [{ name: 'receipt.html', bytes: await anyMail(stage) }];
  for (const [format, beginning] of Object.entries(FORMATS)) {
    const bytes = await report(stage, format);
    if (!bytes.toString().startsWith(beginning)) throw new Error(`the report is no ${format}`);
    files.push({ name: `sales.${format}`, bytes });
  }
  return files.map(({ name, bytes }) => {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    return file;
  });
}

/** Of the last two days, since a sale may begin before midnight. */
async function report(stage: Stage, format: string): Promise<Buffer> {
  const dayBefore = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
  const data = { reportType: 'sales', startDate: dayBefore(1), endDate: dayBefore(0), format };
  const json = { type: 'generate-report', data };
  const { jobId } = created.parse(JSON.parse((await call(stage, '/api/v1/queue/jobs', json)).toString()));
  let done: z.infer<typeof job> | undefined;
  await waitFor(`the report as ${format}`, REPORT_LIMIT_MS, async () => {
    done = job.parse(JSON.parse((await call(stage, `/api/v1/queue/jobs/${jobId}`)).toString()));
    if (done.state === 'failed') throw new Error(`the report as ${format} failed`);
    return done.state === 'completed';
  });
  if (!done?.result || done.result.rows === 0) throw new Error(`the report as ${format} has no rows`);
  return call(stage, done.result.url);
}

async function anyMail({ providers }: Stage): Promise<Buffer> {
  const answer = await fetch(new URL('/_sandbox/ledger', providers.mails.url), { signal: limit() });
  const sent = mails.parse(await answer.json()).mails.find(({ html }) => html !== undefined);
  if (sent?.html === undefined) throw new Error('no mail was sent');
  return Buffer.from(sent.html);
}

async function call({ serviceUrl, key }: Stage, place: string, body?: unknown): Promise<Buffer> {
  const answer = await fetch(new URL(place, serviceUrl), {
    headers: { authorization: `Bearer ${key.token('service')}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: limit(),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${place} answers ${answer.status}: ${bytes.toString()}`);
  return bytes;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(CALL_LIMIT_MS);
}
