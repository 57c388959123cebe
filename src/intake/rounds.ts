import type { Claim } from '../jobs/claim';
import { UnavailableError } from '../platform/unavailable';
import type { Candidate } from './answers';
import type { IntakeAnswer } from './request';

/** The answers so far, by claim. */
export type Answers = Map<Claim, IntakeAnswer>;

/** A key may be released between the claim that met it and the look at who held it; then the claim is tried again. */
const MAX_ROUNDS = 5;

/**
 * Claims until every candidate has its answer, and gives them in the order of the candidates.
 * @param round claims what it can, notes the answers, and tells which candidates must be claimed again
 */
export async function claimInRounds(
  candidates: Candidate[],
  round: (open: Candidate[], answers: Answers) => Promise<Candidate[]>,
): Promise<IntakeAnswer[]> {
  const answers: Answers = new Map();
  let open = candidates;
  for (let number = 1; open.length > 0; number += 1) {
    // Others were quicker each time: nothing is wrong with these.
    if (number > MAX_ROUNDS)
      throw new UnavailableError('the same keys were taken and released too often to be claimed');
    open = await round(open, answers);
  }
  return candidates.map(({ claim }) => {
    const answer = answers.get(claim);
    if (!answer) throw new Error('an offer was left without an answer');
    return answer;
  });
}
