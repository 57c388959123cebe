/** How to sweep. */
export interface SweepOptions {
  /** Only count. */
  dryRun: boolean;
  /** Looked at between two batches: what is done stays done. */
  signal: AbortSignal;
}

export type SweepAnswer =
  /** `stopped`: the signal came first, and there may be more. */
  | { kind: 'swept' | 'stopped'; found: number; deleted: number; failed: number }
  /** It cannot be swept just now, or not as it is configured. */
  | { kind: 'unavailable'; message: string };

/** Where data of one kind lies that grows old. */
export interface OldDataSource {
  /** Takes away what is older than that moment, in small batches. */
  sweep(before: Date, options: SweepOptions): Promise<SweepAnswer>;
}
