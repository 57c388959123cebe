export interface LostFollowersSteps {
  isLeader: () => boolean;
  /** A page of the jobs that somebody waits for and that PostgreSQL does not know, in the order of their ids. */
  readUnknownFollowed: (after: string, limit: number) => Promise<string[]>;
  /** Which of these are open in the Redis of any tier. */
  areOpen: (jobIds: string[]) => Promise<boolean[]>;
  deleteFollowers: (jobIds: string[]) => Promise<void>;
}

const PAGE = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Forgets the followers of jobs that were lost with their Redis, since nobody will ever answer them: the same request
 * again is then taken as a new one. A job that ends meanwhile is in PostgreSQL before Redis forgets it; one that still
 * runs, though its Redis was emptied, has until the next look to end.
 */
export class LostFollowers {
  /** Jobs that were found nowhere at the last look. */
  private missing = new Set<string>();

  constructor(private readonly steps: LostFollowersSteps) {}

  /**
   * Called at intervals that no attempt outlasts. Answers with the number of jobs whose followers were forgotten.
   */
  async look(): Promise<number> {
    const missing = await this.findMissing();
    const lost = missing.filter((jobId) => this.missing.has(jobId));
    if (lost.length > 0) await this.steps.deleteFollowers(lost);
    this.missing = new Set(missing);
    return lost.length;
  }

  private async findMissing(): Promise<string[]> {
    const missing: string[] = [];
    for (let after = FIRST_ID; this.steps.isLeader();) {
      const page = await this.steps.readUnknownFollowed(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) return missing;
      const open = await this.steps.areOpen(page);
      missing.push(...page.filter((_, index) => !open[index]));
      after = last;
    }
    return [];
  }
}
