/**
 * Jobs, health and metrics by HTTP. A request passes: id → timing → route → who asks → body → the one door; whatever is
 * refused on the way is thrown as an HttpError and answered in one place.
 *
 * What may crash where: nothing is kept here. A caller that got no answer, or 503, does not know whether its job was
 * taken, and asks again with the same idempotency key: it is told of the job that there is, or gets one.
 */
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from '../platform/logger';
import type { Admission } from './admission';
import type { Authenticator } from './authenticate';
import { errorAnswerer, HttpError } from './errors';
import { countRefusals, timeRequests, type HttpMetrics } from './instruments';
import { nameRequests, requestIdOf } from './request-id';
import { mount, type Route } from './route';

export interface AppParts {
  routes: Route[];
  authenticator: Authenticator;
  admission: Admission;
  metrics: HttpMetrics;
  log: Logger;
}

export function createApp({ routes, authenticator, admission, metrics, log }: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  // Answers are about this moment.
  app.disable('etag');
  app.use(nameRequests(), timeRequests(metrics), helmet(), beShortLived(admission));
  for (const route of routes) mount(app, route, { authenticator, admission });
  app.use(() => {
    throw new HttpError('NOT_FOUND');
  });
  app.use(errorAnswerer(countRefusals(metrics), requestIdOf, log));
  return app;
}

/** Every route that the application answers to, as its router has them. */
export function routesOf(app: Express): { method: string; path: string }[] {
  return app.router.stack.flatMap(({ route }) =>
    route ? route.stack.map(({ method }) => ({ method: method.toUpperCase(), path: route.path })) : [],
  );
}

/** Nothing is kept by caches on the way, nor, once the process stops, the connection. */
function beShortLived(admission: Admission): RequestHandler {
  return (_, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (admission.phase === 'stopping') response.set('Connection', 'close');
    next();
  };
}
