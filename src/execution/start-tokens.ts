import { StartUndoneError } from '../jobs/start';

/** So many are remembered; of what is beyond, a lost answer counts as a start that never finished. */
const MAX_UNANSWERED = 10_000;

/**
 * A token for every start. One whose answer was lost is used for the next start of the same job once more: if the record
 * took it, this process can tell that the start is its own and that nothing ran under it.
 */
export class StartTokens {
  private readonly unanswered = new Map<string, string>();

  constructor(private readonly newToken: () => string) {}

  async use<Answer>(jobId: string, start: (token: string) => Promise<Answer>): Promise<Answer> {
    const token = this.unanswered.get(jobId) ?? this.newToken();
    // Whoever starts the same job meanwhile must not do it under the same token.
    this.unanswered.delete(jobId);
    try {
      return await start(token);
    } catch (error) {
      if (!(error instanceof StartUndoneError)) this.remember(jobId, token);
      throw error;
    }
  }

  private remember(jobId: string, token: string): void {
    this.unanswered.set(jobId, token);
    const [oldest] = this.unanswered.keys();
    if (this.unanswered.size > MAX_UNANSWERED && oldest !== undefined) this.unanswered.delete(oldest);
  }
}
