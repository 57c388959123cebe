/** However many rows a report has, one page of them is held at a time. */
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { generateReportHandler } from '../../../src/handlers/generate-report';
import { uuidV7 } from '../../../src/platform/ids';
import { ReportArchive } from '../../../src/providers/report-store/archive';
import type { ReportPlace } from '../../../src/providers/report-store/place';
import type { MoneyRecords } from '../../../src/handlers/reports/source';
import { contextOf } from '../../support/handler-context';
import { january } from '../../support/reports';

const PAGES = 50;
const PAGE = 2_000;
/** All rows of the report, as text alone, take more than twice as much. */
const BOUND_BYTES = 8 * 1024 * 1024;
const START = Date.parse('2026-01-01');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Records of so many payments, made up page by page as they are asked for. */
function records(onPage: (page: number) => void): MoneyRecords {
  let page = 0;
  return {
    readJobs: () => {
      page += 1;
      onPage(page);
      const at = START + page * 10_000;
      const jobs = Array.from({ length: PAGE }, () => ({
        jobId: uuidV7(at),
        type: 'payment-process',
        status: 'completed',
        acceptedAt: new Date(at),
        finishedAt: new Date(at),
        payload: { venueId: '01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f' },
        result: { amount: 100, currency: 'USD', provider: 'stripe', chargeId: 'ch_3PgafB7WZ01zgkW' },
        errorCode: undefined,
      }));
      return Promise.resolve({ jobs, end: page === PAGES ? undefined : uuidV7(at) });
    },
    readEffects: (ids) => Promise.resolve(new Map(ids.map((id) => [id, []]))),
    readUntold: () => Promise.resolve(new Set()),
  };
}

/** @param take consumes the bytes of a report */
function attempt(source: MoneyRecords, take: ReportPlace['write'], format: string) {
  const place: ReportPlace = {
    location: 'folder',
    write: take,
    read: () => Promise.resolve(undefined),
    remove: () => Promise.resolve(),
    sweep: () => Promise.resolve(),
  };
  const [, handle] = generateReportHandler(source, new ReportArchive({ query: () => Promise.resolve([]) }, place));
  return handle(january({ reportType: 'reconciliation', format }), contextOf());
}

it.each(['csv', 'json', 'pdf'])('100,000 rows as %s', async (format) => {
  const heaps: number[] = [];
  const source = records((page) => {
    if (page % 10 !== 0) return;
    collect();
    heaps.push(process.memoryUsage().heapUsed);
  });
  const outcome = await attempt(
    source,
    async (_key, _type, content) => void (await once(content.resume(), 'end')),
    format,
  );
  expect(outcome).toMatchObject({ kind: 'done', result: { rows: PAGES * PAGE } });
  expect(Math.max(...heaps) - (heaps[0] ?? 0)).toBeLessThan(BOUND_BYTES);
});

it.each(['csv', 'json'])('as %s, no more is read than is taken', async (format) => {
  let pages = 0;
  const source = records((page) => (pages = page));
  const taken = await attempt(
    source,
    async (_key, _type, content) => {
      await once(content, 'readable');
      // Whatever would read on has had every chance to.
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(pages).toBeLessThan(3);
      await once(content.resume(), 'end');
    },
    format,
  );
  expect(taken).toMatchObject({ kind: 'done' });
  expect(pages).toBe(PAGES);
});
