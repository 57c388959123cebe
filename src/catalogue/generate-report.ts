import { z } from 'zod';
import { defineJobType } from './job-type';

const REPORT_TYPES = ['sales', 'reconciliation', 'payouts', 'tax-summary'] as const;
const FORMATS = ['csv', 'json', 'pdf'] as const;
const MAX_DAYS = 366;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** A day in UTC. */
const day = z.iso.date();

const payload = z
  .strictObject({
    reportType: z.enum(REPORT_TYPES),
    /** Of one venue alone; else of all. */
    venueId: z.uuid().optional(),
    /** The first and the last day, both included, in UTC. A job belongs to the day on which it was accepted. */
    startDate: day,
    endDate: day,
    format: z.enum(FORMATS),
  })
  .refine(({ startDate, endDate }) => startDate <= endDate, { path: ['endDate'], error: 'is before startDate' })
  .refine(({ startDate, endDate }) => Date.parse(endDate) - Date.parse(startDate) < MAX_DAYS * DAY_MS, {
    path: ['endDate'],
    error: `is more than ${MAX_DAYS} days after startDate`,
  });

const total = z.strictObject({
  /** What was counted: payments, say. */
  group: z.string(),
  currency: z.string(),
  count: z.int().nonnegative(),
  /** Minor units. */
  amount: z.int(),
});

const result = z.strictObject({
  /** Our job id, by which the report is fetched. */
  reportId: z.uuid(),
  /** Where it is fetched, below the address of this service. */
  url: z.string().meta({ examples: ['/api/v1/queue/reports/01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f'] }),
  reportType: z.enum(REPORT_TYPES),
  format: z.enum(FORMATS),
  /** How many it has; a PDF shows their sums alone. */
  rows: z.int().nonnegative(),
  totals: z.array(total),
  /** Bytes. */
  size: z.int().positive(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ examples: ['0'.repeat(64)] }),
  expiresAt: z.iso.datetime(),
  processedAt: z.iso.datetime(),
});

export type ReportPayload = z.infer<typeof payload>;
export type ReportType = ReportPayload['reportType'];
export type ReportFormat = ReportPayload['format'];
export type Total = z.infer<typeof total>;

/** Writes down what was sold, refunded or paid out in a period. */
export const generateReport = defineJobType({
  name: 'generate-report',
  queue: 'background',
  priority: 3,
  concurrency: 2,
  timeoutMs: 10 * 60 * 1_000,
  submittableBy: ['venue_admin', 'service', 'admin'],
  payload,
  result,
  defaultKey: ({ reportType, venueId, startDate, endDate, format }) =>
    ['report', reportType, venueId ?? 'all', startDate, endDate, format].join('-'),
});
