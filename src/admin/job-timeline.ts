import type { JobView } from '../jobs/read';
import type { JobTimeline } from '../jobs/timeline';

/**
 * The public form of what happened to a job, oldest first. Of a lower tier's job there is no record of each move: it tells
 * when the job came in, began and ended.
 */
export function timelineAnswer(job: JobView, { moves, reports }: JobTimeline) {
  const entries = [
    ...(moves.length > 0 ? moves.map(toEntry) : outlineOf(job)),
    ...reports.map(({ at, provider, event, eventId, objectId, code, occurredAt }) => ({
      at,
      kind: 'provider' as const,
      provider,
      event,
      eventId,
      objectId,
      code: code ?? null,
      occurredAt: occurredAt?.toISOString() ?? null,
    })),
  ];
  const accepted = { at: job.acceptedAt, kind: 'accepted' as const };
  const inOrder = [accepted, ...entries.toSorted((one, other) => one.at.getTime() - other.at.getTime())];
  return { id: job.jobId, timeline: inOrder.map(({ at, ...entry }) => ({ at: at.toISOString(), ...entry })) };
}

function toEntry({ at, generation, from, to, attempt, worker, reason, traceId }: JobTimeline['moves'][number]) {
  return {
    at,
    kind: 'state' as const,
    from,
    to,
    generation,
    attempt,
    worker: worker ?? null,
    reason: reason ?? null,
    traceId: traceId ?? null,
  };
}

function outlineOf({ startedAt, finishedAt, status, generation, attempts }: JobView) {
  const known = { kind: 'state' as const, generation, attempt: attempts, worker: null, reason: null, traceId: null };
  return [
    ...(startedAt ? [{ ...known, at: startedAt, from: 'pending' as const, to: 'processing' as const }] : []),
    ...(finishedAt ? [{ ...known, at: finishedAt, from: 'processing' as const, to: status }] : []),
  ];
}
