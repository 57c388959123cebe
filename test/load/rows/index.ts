import type { Row } from './row';
import { latency } from './latency';
import { peers } from './peers';
import { profile } from './profile';
import { throughput } from './throughput';

/** In the order in which they are measured. The profile is for whoever asks for it. */
export const ROWS: readonly Row[] = [throughput, peers, latency, profile];
const USUAL = ROWS.filter((row) => row !== profile);

/** @throws for a name that no row has */
export function chooseRows(only: string[] | undefined): Row[] {
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no row ${unknown}; there are ${ROWS.map(({ name }) => name).join(', ')}`);
  }
  return only === undefined ? USUAL : ROWS.filter(({ name }) => only.includes(name));
}
