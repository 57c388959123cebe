import { z } from 'zod';

const api = z.object({ address: z.string(), token: z.string() });

/** What the bench asks of its load generator, a process of its own; see driver.ts for what each does. */
export const driverCommand = z.discriminatedUnion('do', [
  z.object({ do: z.literal('connect'), amqpUrl: z.string() }),
  z.object({ do: z.literal('burst'), type: z.string(), jobs: z.int() }),
  z.object({ do: z.literal('verify') }),
  z.object({ do: z.literal('pace'), type: z.string(), jobs: z.int(), perSecond: z.number() }),
  z.object({ do: z.literal('flow'), type: z.string(), jobs: z.int(), lead: z.int() }),
  z.object({ do: z.literal('publish'), type: z.string(), jobs: z.int() }),
  z.object({ do: z.literal('arrivals'), jobs: z.int(), from: z.int() }),
  z.object({ do: z.literal('add'), api, type: z.string(), jobs: z.int(), inFlight: z.int() }),
  z.object({ do: z.literal('look'), api, jobs: z.int(), inFlight: z.int() }),
]);
export type DriverCommand = z.infer<typeof driverCommand>;

/** How long something took, and how many jobs were done in that time. */
export const timed = z.object({ jobs: z.int(), seconds: z.number() });
export type Timed = z.infer<typeof timed>;

/** Milliseconds from publishing a request to receiving its outcome, in the order of the outcomes. */
export const latencies = z.array(z.number());

/** Calls by HTTP, with the milliseconds that each took. */
export const called = z.object({ seconds: z.number(), waits: z.array(z.number()) });
export type Called = z.infer<typeof called>;

/** What had come for the requests since the last verification. */
export const verified = z.object({
  outcomes: z.int(),
  missing: z.int(),
  repeated: z.int(),
  notCompleted: z.int(),
});
export type Verified = z.infer<typeof verified>;
