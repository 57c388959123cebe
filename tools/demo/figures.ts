import { outcomeRecord, publishedRecord, readLines } from './records';

export interface Figures {
  messages: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

/** From the publication of a request to its first terminal answer, and how many messages a second. Information only. */
export function readFigures(publishedFile: string, outcomesFile: string): Figures {
  const published = readLines(publishedFile, publishedRecord);
  const answeredAt = new Map<string | null, number>();
  for (const { event, receivedAt } of readLines(outcomesFile, outcomeRecord)) {
    const { outcome, requestId } = event.data;
    if (outcome !== 'attention' && !answeredAt.has(requestId)) answeredAt.set(requestId, receivedAt);
  }
  const waits = published
    .filter(({ kind }) => kind !== 'same message again')
    .flatMap(({ requestId, publishedAt }) => {
      const at = requestId === null ? undefined : answeredAt.get(requestId);
      return at === undefined ? [] : [at - publishedAt];
    })
    .sort((one, other) => one - other);
  const begun = Math.min(...published.map(({ publishedAt }) => publishedAt));
  const ended = Math.max(...answeredAt.values(), begun);
  const seconds = (ended - begun) / 1_000;
  const at = (share: number): number => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0;
  const messages = published.length;
  return { messages, seconds, perSecond: messages / seconds, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
