import type { Row } from './row';
import { api } from './api';
import { growth } from './growth';
import { intake } from './intake';
import { latency } from './latency';
import { peers } from './peers';
import { profile, profileLower, profilePaced } from './profile';
import { relay } from './relay';
import { soak } from './soak';
import { throughput } from './throughput';
import { tiers } from './tiers';

const USUAL: readonly Row[] = [throughput, tiers, peers, latency, intake, relay, api];
/** Those that take long, or measure no speed, are for whoever asks for them. */
const ON_REQUEST: readonly Row[] = [growth, soak, profile, profilePaced, profileLower];
/** In the order in which they are measured. */
export const ROWS: readonly Row[] = [...USUAL, ...ON_REQUEST];

/** @throws for a name that no row has */
export function chooseRows(only: string[] | undefined): readonly Row[] {
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no row ${unknown}; there are ${ROWS.map(({ name }) => name).join(', ')}`);
  }
  return only === undefined ? USUAL : ROWS.filter(({ name }) => only.includes(name));
}
