import type { Check } from '../checks';
import type { Measured } from '../figures';
import type { Stage } from '../stage/stage';

/** What a row measures. */
export interface RowResult {
  /** Jobs, or whatever it counts, of each run. */
  jobs: number;
  measured: Measured[];
  checks: Check[];
  /** What cannot be said in the table. */
  notes?: string[];
}

export interface Row {
  name: string;
  about: string;
  measure: (stage: Stage) => Promise<RowResult>;
}
