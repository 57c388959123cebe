/** The artifacts of `generate-report` jobs. */
import type { Response } from 'express';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ROLES } from '../contract/principals';
import { describeError, type Logger } from '../platform/logger';
import { HttpError } from './errors';
import { maySee } from './job-view';
import type { Route } from './route';
import { askStore } from './store';

/** A report, as far as whoever fetches it needs to know. */
export interface Artifact {
  id: string;
  requestedBy: string;
  venueId: string | undefined;
  reportType: string;
  startDate: string;
  endDate: string;
  format: string;
  size: number;
  sha256: string;
}

export interface ReportSteps<Found extends Artifact> {
  find: (id: string) => Promise<Found | undefined>;
  /** Undefined where the artifact is not where it was put. */
  open: (report: Found) => Promise<Readable | undefined>;
  contentTypeOf: (format: string) => string;
}

/** Whoever takes nothing for so long is given up. */
const IDLE_MS = 30_000;
const id = z.uuid();

export function reportRoutes<Found extends Artifact>(
  steps: ReportSteps<Found>,
  timeoutMs: number,
  log: Logger,
): Route[] {
  const ask = <Value>(work: () => Promise<Value>): Promise<Value> =>
    askStore(work, { what: 'a report', timeoutMs, log });
  return [
    {
      method: 'get',
      path: '/reports/:id',
      access: 'roles',
      roles: ROLES.filter((role) => role !== 'monitoring'),
      handle: async (request, response, principal) => {
        const asked = id.safeParse(request.params['id']).data;
        const report = asked === undefined ? undefined : await ask(() => steps.find(asked));
        if (!report || !maySee(principal, { source: report.requestedBy, venueId: report.venueId, userId: undefined }))
          throw new HttpError('NOT_FOUND');
        const content = await ask(() => steps.open(report));
        if (!content) {
          log.error('a report is not where it was put', { reportId: report.id });
          throw new HttpError('NOT_FOUND');
        }
        describe(response, report, steps.contentTypeOf(report.format));
        await send(content, response, log);
      },
    },
  ];
}

/** To be saved, and never shown or run as something else than it is. */
function describe(response: Response, report: Artifact, contentType: string): void {
  const name = `${report.reportType}-${report.startDate}-${report.endDate}.${report.format}`;
  response.set({
    'Content-Type': contentType,
    'Content-Length': String(report.size),
    'Content-Disposition': `attachment; filename="${name}"`,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Repr-Digest': `sha-256=:${Buffer.from(report.sha256, 'hex').toString('base64')}:`,
  });
}

/** Half a report is broken off, so that nobody takes it for a whole one. */
async function send(content: Readable, response: Response, log: Logger): Promise<void> {
  response.setTimeout(IDLE_MS, () => response.destroy());
  try {
    await pipeline(content, response);
  } catch (error) {
    log.warn('a report was not sent to its end', { error: describeError(error) });
  }
}
