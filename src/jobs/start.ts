import { describeError } from '../platform/logger';
import type { Queryable } from '../platform/postgres/database';
import type { DispatchedJob, JobIdentity, JobStatus } from './job';
import { IDENTITY_COLUMNS, toIdentity, type IdentityRow } from './rows';

export interface StartRequest extends DispatchedJob {
  /**
   * Random for every start: whoever holds it decides about the job, until somebody else starts it. The same one again is
   * the same start, of which the answer was lost.
   */
  token: string;
}

/** A job that is ours to run under `token`. */
export interface StartedJob extends JobIdentity {
  token: string;
  dispatch: number;
  payload: unknown;
  attempts: number;
  maxAttempts: number;
  timeoutMs: number;
  sequence: number;
  /** The key is the caller's own, not the default one; undefined where the record does not tell. */
  hasOwnKey: boolean | undefined;
  /** True when this is the first start ever, so that the ledger holds nothing yet. */
  fresh: boolean;
  cancelRequested: boolean;
  /** Whether others may wait for its end, under its ordering key. */
  ordered: boolean;
  /** Undefined for one that is only ended. */
  startedAt: Date | undefined;
  /** Only of a job whose record does not outlive it: what its end must be remembered by. */
  claim: HeldClaim | undefined;
}

/**
 * The record took the start, and then the job could not be had. The start was taken back, or is about to be: its token
 * must not be used again, or a word that is under way would put back the next attempt.
 */
export class StartUndoneError extends Error {
  override name = 'StartUndoneError';

  constructor(cause: unknown) {
    super(`a start was taken back: ${describeError(cause)}`, { cause });
  }
}

/** What a job is held by. */
export interface HeldClaim {
  liveKey: string;
  fingerprint: string;
  requestKey: string;
}

/** A job that an ordinary start refuses, with what explains it. */
export interface UnstartedJob extends DispatchedJob {
  status: JobStatus;
  /** Milliseconds until it may run; 0 when it may now. */
  dueInMs: number;
  expired: boolean;
  /** A start that never finished: it, or a neighbour in the same process, may have killed that process. */
  suspect: boolean;
  suspectStarts: number;
  cancelRequested: boolean;
  /** Another job of its ordering key comes first. */
  behind: boolean;
}

/**
 * The guard: moves jobs to `processing` under new tokens, in one statement. A job that is missing in the answer was not
 * started; `readUnstarted` tells why.
 */
export async function startJobs(database: Queryable, requests: StartRequest[], worker: string): Promise<StartedJob[]> {
  const sorted = [...requests].sort((left, right) => (left.jobId < right.jobId ? -1 : 1));
  const rows = await database.query<StartedRow>(START, [
    sorted.map((request) => request.jobId),
    sorted.map((request) => request.generation),
    sorted.map((request) => request.dispatch),
    sorted.map((request) => request.token),
    worker,
  ]);
  return rows.map(toStarted);
}

/**
 * Starts one job that `startJobs` refuses: a suspect (counted, since it is made as the only suspect of this process),
 * an expired one or one whose cancellation was asked for, so that it can be ended under a token.
 */
export async function startExceptional(
  database: Queryable,
  request: StartRequest,
  worker: string,
  countAsSuspect: boolean,
): Promise<StartedJob | undefined> {
  const rows = await database.query<StartedRow>(START_EXCEPTIONAL, [
    request.jobId,
    request.generation,
    request.dispatch,
    request.token,
    worker,
    countAsSuspect ? 1 : 0,
  ]);
  return rows.map(toStarted)[0];
}

export async function readUnstarted(database: Queryable, jobId: string): Promise<UnstartedJob | undefined> {
  const rows = await database.query<UnstartedRow>(READ_UNSTARTED, [jobId]);
  return rows.map((row) => ({
    jobId: row.id,
    generation: row.generation,
    dispatch: row.dispatch,
    status: row.status,
    dueInMs: Math.max(0, Math.ceil(row.due_in_ms)),
    expired: row.expired,
    suspect: row.suspect,
    suspectStarts: row.suspect_starts,
    cancelRequested: row.cancel_requested,
    behind: row.behind,
  }))[0];
}

interface StartedRow extends IdentityRow {
  attempt_token: string;
  dispatch: number;
  data: unknown;
  attempts: number;
  max_attempts: number;
  timeout_ms: number;
  sequence: number;
  has_own_key: boolean;
  starts: number;
  cancel_requested: boolean;
  ordering_key: string | null;
  started_at: Date | null;
}

interface UnstartedRow {
  id: string;
  generation: number;
  dispatch: number;
  status: JobStatus;
  due_in_ms: number;
  expired: boolean;
  suspect: boolean;
  suspect_starts: number;
  cancel_requested: boolean;
  behind: boolean;
}

function toStarted(row: StartedRow): StartedJob {
  return {
    token: row.attempt_token,
    dispatch: row.dispatch,
    payload: row.data,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    timeoutMs: row.timeout_ms,
    sequence: row.sequence,
    hasOwnKey: row.has_own_key,
    fresh: row.starts === 1,
    cancelRequested: row.cancel_requested,
    ordered: row.ordering_key !== null,
    startedAt: row.started_at ?? undefined,
    claim: undefined,
    // Last: what is added to a copy costs Node 20 more than all the rest of a start.
    ...toIdentity(row),
  };
}

/** BullMQ's timers and the database's clock differ a little; a job may start this much early. */
const EARLY = `interval '100 milliseconds'`;
/** Only a job that never started can expire; one that was started to be ended, by a process that died over it, still can. */
const EXPIRED = 'COALESCE(j.expires_at <= now(), false) AND j.started_at IS NULL';

const STARTED_COLUMNS = `${IDENTITY_COLUMNS}, j.attempt_token, j.dispatch, j.data, j.attempts, j.max_attempts,
  j.timeout_ms, j.sequence, j.key_scope <> '' AS has_own_key, j.starts, j.cancel_requested, j.ordering_key, j.started_at`;

/** The job has this token already, since the answer to the same start was lost. It counts once. */
const isAgain = (token: string) => `(j.status = 'processing' AND j.attempt_token = ${token})`;

/** Whatever was thought of its handing-over: it has come. */
const setStarted = (token: string) => `status = 'processing', queued = true,
  starts = starts + CASE WHEN ${isAgain(token)} THEN 0 ELSE 1 END, worker = $5, reason = NULL, updated_at = now()`;

const START = {
  name: 'jobs-start',
  text: `
    UPDATE critical_jobs j SET attempt_token = wanted.token, started_at = COALESCE(started_at, now()),
      ${setStarted('wanted.token')}
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::uuid[]) AS wanted (id, generation, dispatch, token)
    WHERE j.id = wanted.id AND j.generation = wanted.generation AND j.dispatch = wanted.dispatch
      AND j.status IN ('pending', 'processing')
      AND (j.starts = j.finishes OR ${isAgain('wanted.token')})
      AND NOT j.cancel_requested
      AND j.run_at <= now() + ${EARLY}
      AND j.waiting_rank IS NULL
      AND NOT (${EXPIRED})
    RETURNING ${STARTED_COLUMNS}`,
};

const START_EXCEPTIONAL = {
  text: `
    UPDATE critical_jobs j SET attempt_token = $4,
      suspect_starts = suspect_starts + CASE WHEN ${isAgain('$4')} THEN 0 ELSE $6 END,
      started_at = CASE WHEN $6 = 1 THEN COALESCE(started_at, now()) ELSE started_at END, ${setStarted('$4')}
    WHERE j.id = $1 AND j.generation = $2 AND j.dispatch = $3 AND j.status IN ('pending', 'processing')
      AND ($6 = 0 OR j.starts > j.finishes)
    RETURNING ${STARTED_COLUMNS}`,
};

const READ_UNSTARTED = {
  text: `
    SELECT j.id, j.generation, j.dispatch, j.status, j.suspect_starts, j.cancel_requested,
      (EXTRACT(epoch FROM j.run_at - ${EARLY} - now()) * 1000)::float8 AS due_in_ms,
      ${EXPIRED} AS expired,
      j.starts > j.finishes AS suspect, j.waiting_rank IS NOT NULL AS behind
    FROM critical_jobs j WHERE j.id = $1`,
};
