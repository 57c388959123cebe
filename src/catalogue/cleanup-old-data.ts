import { z } from 'zod';
import { timestamp } from '../contract/envelope';
import { defineJobType } from './job-type';

const DATA_TYPES = ['sessions', 'temp_files', 'old_logs'] as const;

const payload = z.strictObject({
  /** Where each of them is, the configuration says; see docs/providers.md. */
  dataType: z.enum(DATA_TYPES),
  /** What is older goes: a session by its column, a file by its last change. At least an hour ago. */
  olderThan: timestamp,
  /** Only counts what would go. */
  dryRun: z.boolean().optional(),
});

/** Of the attempt that finished; one that was stopped before has taken away its part already. */
const result = z.strictObject({
  dataType: z.enum(DATA_TYPES),
  dryRun: z.boolean(),
  /** What was older. */
  found: z.int().nonnegative(),
  deleted: z.int().nonnegative(),
  /** What was to go and could not be removed. */
  failed: z.int().nonnegative(),
  processedAt: z.iso.datetime(),
});

export type DataType = (typeof DATA_TYPES)[number];

/** Makes room: takes away what is older than a moment, of one kind of data that this deployment keeps. */
export const cleanupOldData = defineJobType({
  name: 'cleanup-old-data',
  queue: 'background',
  priority: 1,
  concurrency: 1,
  timeoutMs: 10 * 60 * 1_000,
  kindBy: 'dataType',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // A dry run must not be taken for the run that it prepares.
  defaultKey: ({ dataType, olderThan, dryRun }) => `cleanup-${dataType}-${olderThan}${dryRun === true ? '-dry' : ''}`,
});
