import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { alignedTable } from '../../tools/demo/table';
import { describeCheck, missed } from './checks';
import { median, percentile, summary, valuesOf, type Measured } from './figures';
import type { RowResult } from './rows/row';
import type { Stage } from './stage/stage';

export type Results = Record<string, RowResult>;

/** Figures below each other, contestants beside each other. */
export function tableOf({ measured }: RowResult): string {
  const contestants = [...new Set(measured.map(({ contestant }) => contestant))];
  const figures = [...new Set(measured.map(({ figure }) => figure))];
  const cell = (contestant: string, figure: string): string => {
    const values = valuesOf(measured, contestant, figure);
    return values.length === 0 ? '' : summary(values);
  };
  return alignedTable(
    ['median [least..most]', ...contestants],
    figures.map((figure) => [figure, ...contestants.map((contestant) => cell(contestant, figure))]),
  );
}

export function checksTable(results: Results): string {
  const checks = Object.values(results).flatMap((result) => result.checks);
  return alignedTable(['target', 'measured', 'first', 'goal', ''], checks.map(describeCheck));
}

export function writeJson(file: string, stage: Stage, startedAt: Date, results: Results): void {
  const rows = Object.fromEntries(
    Object.entries(results).map(([name, { measured, checks, ...rest }]) => [
      name,
      { ...rest, measured: measured.map(withSummary), checks, missed: missed(checks).map(({ what }) => what) },
    ]),
  );
  const about = {
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    commit: stage.commit,
    against: stage.against?.name ?? null,
    node: process.version,
    cores: cpus().length,
    runs: stage.options.runs ?? null,
  };
  writeFileSync(file, `${JSON.stringify({ ...about, rows }, null, 2)}\n`);
}

function withSummary(measured: Measured) {
  const { values } = measured;
  return { ...measured, median: median(values), least: percentile(values, 0), most: percentile(values, 1) };
}
