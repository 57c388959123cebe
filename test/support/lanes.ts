import { z } from 'zod';

const VARIABLE = 'TEST_LANES';
const lanes = z.array(z.record(z.string(), z.string()));

/** @param environments where the servers of each of jest's workers are */
export function writeLanes(environments: Record<string, string>[]): void {
  process.env[VARIABLE] = JSON.stringify(environments);
}

/** What this worker of jest's has to itself; workers are numbered from 1. */
export function readLane(): Record<string, string> {
  const environments = lanes.parse(JSON.parse(process.env[VARIABLE] ?? '[]'));
  const number = Number(process.env['JEST_WORKER_ID'] ?? '1');
  const lane = environments[number - 1];
  if (!lane) throw new Error(`no servers for worker ${number} of the tests`);
  return lane;
}
