import type { Measured } from '../figures';
import type { Stage } from '../stage/stage';

/** The targets are stated for medians of five. */
const USUAL_RUNS = 5;

/**
 * Lets each contestant have one turn a round, so that whatever else happens on the machine meets all of them. Who goes
 * first changes from round to round.
 */
export async function interleaved<Contestant extends { name: string }>(
  { options, signal }: Stage,
  contestants: Contestant[],
  turn: (contestant: Contestant) => Promise<Record<string, number>>,
  usualRuns = USUAL_RUNS,
): Promise<Measured[]> {
  const runs = options.runs ?? usualRuns;
  const measured: Measured[] = [];
  for (let round = 0; round < runs; round += 1) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      signal.throwIfAborted();
      const figures = await turn(contestant);
      for (const [figure, value] of Object.entries(figures)) note(measured, contestant.name, figure, value);
      console.log(`  round ${round + 1} of ${runs}, ${contestant.name}: ${inWords(figures)}`);
    }
  }
  return measured;
}

function note(measured: Measured[], contestant: string, figure: string, value: number): void {
  const known = measured.find((one) => one.contestant === contestant && one.figure === figure);
  if (known) known.values.push(value);
  else measured.push({ contestant, figure, values: [value] });
}

function inWords(figures: Record<string, number>): string {
  return Object.entries(figures)
    .slice(0, 3)
    .map(([figure, value]) => `${value.toFixed(value < 10 ? 2 : 0)} ${figure}`)
    .join(', ');
}
