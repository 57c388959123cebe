import type { Row } from './row';
import { throughput } from './throughput';

/** In the order in which they are measured. */
export const ROWS: readonly Row[] = [throughput];

/** @throws for a name that no row has */
export function chooseRows(only: string[] | undefined): Row[] {
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no row ${unknown}; there are ${ROWS.map(({ name }) => name).join(', ')}`);
  }
  return ROWS.filter(({ name }) => only === undefined || only.includes(name));
}
