/** Jobs by HTTP: asking for one, and looking at it. */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { BASE_PATH } from '../contract/http';
import { TIERS } from '../contract/names';
import { ROLES } from '../contract/principals';
import { problemsOf } from '../contract/problems';
import { effectiveOptions } from '../intake/options';
import type { IntakeRequest } from '../intake/request';
import type { JobView } from '../jobs/read';
import type { JobTimeline } from '../jobs/timeline';
import type { Logger } from '../platform/logger';
import { readJson } from './body';
import { HttpError } from './errors';
import { timelineAnswer } from './job-timeline';
import { jobAnswer, maySee } from './job-view';
import type { Principal } from './principal';
import { callersRequestId } from './request-id';
import type { Route } from './route';
import { askStore } from './store';
import { inBody, readSubmission, refusalOf } from './submission';
import type { SubmitAnswer } from './submitter';

export interface JobSteps {
  submit: (request: IntakeRequest) => Promise<SubmitAnswer>;
  readJob: (jobId: string) => Promise<JobView | undefined>;
  readTimeline: (jobId: string) => Promise<JobTimeline>;
}

const jobId = z.uuid();
/** Ids are unique in all queues; a queue that is named must be the job's. */
const lookQuery = z.object({ queue: z.enum(TIERS).optional() });

export function jobRoutes(steps: JobSteps, readTimeoutMs: number, log: Logger): Route[] {
  const ask = <Value>(what: string, read: () => Promise<Value>) =>
    askStore(read, { what, timeoutMs: readTimeoutMs, log });
  /** @throws HttpError also when the job is not for the principal to see */
  const findVisible = async (request: Request, principal: Principal): Promise<JobView> => {
    const query = lookQuery.safeParse(request.query);
    if (!query.success) throw new HttpError('INVALID_REQUEST', problemsOf(query.error, '(query)'));
    const id = jobId.safeParse(request.params['id']).data;
    const job = id === undefined ? undefined : await ask('a job', () => steps.readJob(id));
    const asked = query.data.queue ?? job?.tier;
    if (!job || job.tier !== asked || !maySee(principal, job)) throw new HttpError('NOT_FOUND');
    return job;
  };
  return [
    {
      method: 'post',
      path: '/jobs',
      access: 'roles',
      // Which types a role may ask for is the catalogue's to say.
      roles: ROLES.filter((role) => role !== 'monitoring'),
      handle: (request, response, principal) => submitJob(steps, request, response, principal),
    },
    {
      method: 'get',
      path: '/jobs/:id',
      access: 'roles',
      roles: ROLES.filter((role) => role !== 'monitoring'),
      handle: async (request, response, principal) => {
        const job = await findVisible(request, principal);
        response.json(jobAnswer(job, new Date()));
      },
    },
    {
      method: 'get',
      path: '/jobs/:id/timeline',
      access: 'roles',
      roles: ROLES.filter((role) => role !== 'monitoring'),
      handle: async (request, response, principal) => {
        const job = await findVisible(request, principal);
        const timeline = await ask('a timeline', () => steps.readTimeline(job.jobId));
        response.json(timelineAnswer(job, timeline));
      },
    },
  ];
}

async function submitJob(steps: JobSteps, request: Request, response: Response, principal: Principal): Promise<void> {
  const headers = {
    idempotencyKey: request.get('Idempotency-Key'),
    requestId: callersRequestId(request),
    traceparent: request.get('traceparent'),
  };
  const asked = readSubmission(await readJson(request, response), principal, headers, randomUUID());
  const answer = await steps.submit(asked);
  if (answer.kind === 'rejected') throw new HttpError(refusalOf(answer.code), answer.problems.map(inBody));
  const isDuplicate = answer.kind === 'duplicate';
  response
    .status(isDuplicate ? 200 : 201)
    .location(`${BASE_PATH}/jobs/${answer.jobId}`)
    .json({
      jobId: answer.jobId,
      queue: asked.type.queue,
      type: asked.type.name,
      status: isDuplicate ? 'duplicate' : 'queued',
      options: effectiveOptions(asked.type, asked.options),
    });
}
