import { Intake, type AcceptSteps } from '../intake/accept';
import { intakeMetrics, type IntakeMetrics } from '../intake/metrics';
import type { IntakeAnswer } from '../intake/request';
import { insertClaims, markNotQueued } from '../jobs/claim';
import { lockStanding } from '../jobs/conflicts';
import { readRefusals, recordDeadLetters } from '../jobs/dead-letters';
import { anyWaiting } from '../jobs/dispatch';
import { addFollowers, readFollowed } from '../jobs/followers';
import { appendToOutbox } from '../outbox/rows';
import type { Component } from '../platform/lifecycle';
import { QueueWindow } from '../queues/window';
import type { Foundation } from './foundation';

/** The one door, shared by everything in this process that lets requests in. */
export interface IntakeRoom {
  intake: Intake;
  metrics: IntakeMetrics;
  components: Component[];
}

export function composeIntake(foundation: Foundation): IntakeRoom {
  const { config, log, database, tiers } = foundation;
  const metrics = intakeMetrics(foundation.metrics);
  const window = new QueueWindow(
    { size: () => tiers.money.queue.size(), anyWaiting: () => anyWaiting(database) },
    config.intake.window,
    log,
  );
  return {
    intake: new Intake(acceptSteps(foundation, window, metrics), config.intake.keySecret, log),
    metrics,
    components: [{ name: 'queue window', start: () => Promise.resolve(window.start()), stop: () => window.stop() }],
  };
}

function acceptSteps(
  { database, tiers, outboxSignal, decorate }: Foundation,
  window: QueueWindow,
  metrics: IntakeMetrics,
): AcceptSteps {
  return {
    claim: decorate('claim', (claims) => insertClaims(database, claims)),
    enqueue: decorate('enqueue', (jobs) => tiers.money.queue.add(jobs)),
    markNotQueued: decorate('mark not queued', (jobIds) => markNotQueued(database, jobIds)),
    takeRoom: (count) => window.take(count),
    transaction: (work) => database.transaction(work),
    lockStanding,
    readFollowed,
    readRefusals,
    addFollowers: decorate('answer contested', addFollowers),
    recordDeadLetters: decorate('reject', recordDeadLetters),
    append: appendToOutbox,
    signal: () => outboxSignal.send(),
    onAnswer: (answer, type) => count(answer, type, metrics),
  };
}

function count(answer: IntakeAnswer, type: string, metrics: IntakeMetrics): void {
  metrics.consumed.inc({ outcome: answer.kind, job_type: type });
  if (answer.kind === 'redelivered') metrics.redeliveries.inc({ job_type: type });
  if (answer.kind === 'rejected') metrics.deadLetters.inc({ code: answer.code });
}
