/** Who is called back about outcomes: subscriptions, their secrets, and what became of each call. */
import type { Request } from 'express';
import { z } from 'zod';
import { jobTypes } from '../catalogue';
import { OUTCOMES } from '../contract/outcome';
import { problemsOf } from '../contract/problems';
import { uuidV7 } from '../platform/ids';
import type { Logger } from '../platform/logger';
import type { DeliveryView } from '../subscriptions/deliveries';
import type { NewSubscription, Subscription } from '../subscriptions/rows';
import { readJson } from './body';
import { HttpError } from './errors';
import { sourceOf, type Principal } from './principal';
import type { Route } from './route';
import { askStore } from './store';

/** @property createdBy whose subscriptions are meant; undefined for everybody's */
export interface SubscriptionSteps {
  insert: (subscription: NewSubscription) => Promise<void>;
  list: (createdBy: string | undefined) => Promise<Subscription[]>;
  remove: (id: string, createdBy: string | undefined) => Promise<boolean>;
  /** Answers with the version of the new secret, and until when the last one is good. */
  rotate: (
    id: string,
    createdBy: string | undefined,
  ) => Promise<{ version: number; previousUntil: Date | undefined } | undefined>;
  deliveries: (id: string, createdBy: string | undefined) => Promise<DeliveryView[]>;
  secretOf: (id: string, version: number) => string;
}

const ROLES = ['service', 'admin'] as const;
const PATH = '/webhook-subscriptions';
const MAX_URL = 2_000;

const types = jobTypes.map(({ name }) => name).filter((name) => name !== 'webhook-deliver');

const newSubscription = z.strictObject({
  url: z
    .url({ protocol: /^https$/, error: 'is not a URL of https' })
    .max(MAX_URL)
    .refine(holdsNoPassword, 'holds a password'),
  /** Left out, or empty: all. */
  types: z.array(z.enum(types)).max(types.length).default([]),
  outcomes: z.array(z.enum(OUTCOMES)).max(OUTCOMES.length).default([]),
});

const uuid = z.uuid();

function holdsNoPassword(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

export function webhookSubscriptionRoutes(steps: SubscriptionSteps, timeoutMs: number, log: Logger): Route[] {
  const ask = <Value>(work: () => Promise<Value>): Promise<Value> =>
    askStore(work, { what: 'webhook subscriptions', timeoutMs, log });
  return [
    {
      method: 'post',
      path: PATH,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const asked = newSubscription.safeParse(await readJson(request, response));
        if (!asked.success) throw new HttpError('INVALID_REQUEST', problemsOf(asked.error, '(body)'));
        const { url, types: jobTypes, outcomes } = asked.data;
        const id = uuidV7();
        await ask(() => steps.insert({ id, url, jobTypes, outcomes, createdBy: sourceOf(principal) }));
        const secret = steps.secretOf(id, 1);
        response.status(201).json({ subscriptionId: id, url, types: jobTypes, outcomes, secret });
      },
    },
    {
      method: 'get',
      path: PATH,
      access: 'roles',
      roles: ROLES,
      handle: async (_request, response, principal) => {
        const subscriptions = await ask(() => steps.list(scopeOf(principal)));
        response.json({ subscriptions: subscriptions.map(toAnswer) });
      },
    },
    {
      method: 'delete',
      path: `${PATH}/:id`,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const removed = await ask(() => steps.remove(idOf(request), scopeOf(principal)));
        if (!removed) throw new HttpError('NOT_FOUND');
        response.status(204).end();
      },
    },
    {
      method: 'post',
      path: `${PATH}/:id/secret`,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const id = idOf(request);
        const rotated = await ask(() => steps.rotate(id, scopeOf(principal)));
        if (!rotated) throw new HttpError('NOT_FOUND');
        const { version, previousUntil = null } = rotated;
        response.json({ subscriptionId: id, secret: steps.secretOf(id, version), previousSecretUntil: previousUntil });
      },
    },
    {
      method: 'get',
      path: `${PATH}/:id/deliveries`,
      access: 'roles',
      roles: ROLES,
      handle: async (request, response, principal) => {
        const id = idOf(request);
        response.json({ deliveries: await ask(() => steps.deliveries(id, scopeOf(principal))) });
      },
    },
  ];
}

/** A service has its own; admins look after everybody's. */
function scopeOf(principal: Principal): string | undefined {
  return principal.role === 'admin' ? undefined : sourceOf(principal);
}

function idOf(request: Request): string {
  const id = uuid.safeParse(request.params['id']).data;
  if (id === undefined) throw new HttpError('NOT_FOUND');
  return id;
}

/** Without its secret, which is told when it is made and never again. */
function toAnswer({ id, jobTypes, disabledReason, ...rest }: Subscription) {
  return { subscriptionId: id, types: jobTypes, ...rest, disabledReason: disabledReason ?? null };
}
