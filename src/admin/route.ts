import type { Express, Request, Response } from 'express';
import { BASE_PATH } from '../contract/http';
import type { Role } from '../contract/principals';
import type { Admission } from './admission';
import { isBearer, type Authenticator } from './authenticate';
import { HttpError } from './errors';
import type { Principal } from './principal';

type Answer = (request: Request, response: Response) => Promise<void>;

/** Who may use a route. There is no route without it, and nothing that stands for "not decided yet". */
type Access =
  | { access: 'everybody'; handle: Answer }
  | {
      access: 'roles';
      roles: readonly Role[];
      handle: (request: Request, response: Response, principal: Principal) => Promise<void>;
    }
  /** Tokens of these roles, or the fixed token of programs that cannot get one. */
  | { access: 'scrapers'; roles: readonly Role[]; fixedToken: string | undefined; handle: Answer };

export type Route = {
  method: 'get' | 'post' | 'delete';
  /** Below the base path. */
  path: string;
} & Access;

export interface Doorkeepers {
  authenticator: Authenticator;
  admission: Admission;
}

/** The only way in which a route gets into the application: who asks is decided before anything else of it runs. */
export function mount(app: Express, route: Route, { authenticator, admission }: Doorkeepers): void {
  app[route.method](`${BASE_PATH}${route.path}`, async (request, response) => {
    const answer = await authorise(route, request, response, authenticator);
    await (route.method === 'get' ? answer() : admission.run(answer));
  });
}

/** What may be done now. @throws HttpError when it may not */
async function authorise(
  route: Route,
  request: Request,
  response: Response,
  authenticator: Authenticator,
): Promise<() => Promise<void>> {
  const { authorization } = request.headers;
  if (route.access === 'everybody') return () => route.handle(request, response);
  if (route.access === 'scrapers' && route.fixedToken !== undefined) {
    if (isBearer(authorization, route.fixedToken)) return () => route.handle(request, response);
    if (!authenticator.hasKeys) throw new HttpError('UNAUTHENTICATED');
  }
  const principal = await authenticator.authenticate(authorization);
  if (!route.roles.includes(principal.role)) throw new HttpError('FORBIDDEN');
  return () => route.handle(request, response, principal);
}
