import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { waitFor } from '../services/wait';
import type { Child } from './child';

/** What a stand-in says when it listens, with what the service must have to use it where an address is not enough. */
const announcement = z.object({
  provider: z.string(),
  url: z.url(),
  variables: z.record(z.string(), z.string()).default({}),
});
export type Announcement = z.infer<typeof announcement>;

/** Waits until each of these has said that it listens; by name. @throws when their process ends before */
export async function announcedBy<const Name extends string>(
  child: Child,
  { logFile, names, limitMs }: { logFile: string; names: readonly Name[]; limitMs: number },
): Promise<(name: Name) => Announcement> {
  let announced = new Map<string, Announcement>();
  await waitFor(child.options.name, limitMs, () => {
    announced = announcedIn(logFile);
    const missing = names.some((name) => !announced.has(name));
    if (missing && !child.running) throw new Error(`they did not start, see ${logFile}`);
    return !missing;
  });
  return (name) => {
    const found = announced.get(name);
    if (!found) throw new Error(`nobody has announced ${name}`);
    return found;
  };
}

/** Whole lines alone. */
function announcedIn(logFile: string): Map<string, Announcement> {
  const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
  const announced = lines.filter((line) => line.startsWith('{')).map((line) => announcement.parse(JSON.parse(line)));
  return new Map(announced.map((one) => [one.provider, one]));
}
