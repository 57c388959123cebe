import { announcedBy } from './announcements';
import { Child, type ChildOptions } from './child';

/** The contract is compiled the first time. */
const START_LIMIT_MS = 60_000;
const CHAINS = ['polygon', 'solana'] as const;

/** Both chains on this machine: a process of its own, whose tokens are gone when it ends. */
export class Chains {
  private constructor(
    /** What the service must have to mint on them. */
    readonly variables: Record<string, string>,
    private readonly child: Child,
  ) {}

  static async start(options: Omit<ChildOptions, 'name' | 'args'> & { logFile: string }): Promise<Chains> {
    const ports = CHAINS.flatMap((chain) => [`--${chain}`, '0']);
    const args = ['--import', 'tsx', 'test/support/sandbox/main.ts', ...ports];
    const child = Child.start({ ...options, name: 'the chains', args });
    try {
      const { logFile } = options;
      const announced = await announcedBy(child, { logFile, names: CHAINS, limitMs: START_LIMIT_MS });
      return new Chains({ ...announced('polygon').variables, ...announced('solana').variables }, child);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  get pids(): number[] {
    return this.child.pid === undefined ? [] : [this.child.pid];
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}
