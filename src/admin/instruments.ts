import type { Request, RequestHandler } from 'express';
import type { HttpErrorCode } from '../contract/http';
import type { Metrics } from '../platform/metrics';

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export type HttpMetrics = ReturnType<typeof httpMetrics>;

export function httpMetrics(metrics: Metrics) {
  return {
    duration: metrics.histogram(
      'http_request_duration_seconds',
      'From the request to the end of its answer',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      ['method', 'route', 'status'],
    ),
    refusals: metrics.counter('http_refusals_total', 'HTTP requests that were refused', ['code']),
  };
}

/** Times every request, under names of which there is a bounded number, whatever callers think of. */
export function timeRequests({ duration }: HttpMetrics): RequestHandler {
  return (request, response, next) => {
    const stop = duration.startTimer();
    response.once('close', () => {
      stop({
        method: METHODS.includes(request.method) ? request.method : 'other',
        route: patternOf(request),
        status: response.writableFinished ? String(response.statusCode) : 'aborted',
      });
    });
    next();
  };
}

export function countRefusals({ refusals }: HttpMetrics): (code: HttpErrorCode) => void {
  return (code) => refusals.inc({ code });
}

/** Express notes the route that it found; the type of what it notes is open. */
function patternOf(request: Request): string {
  const route: unknown = request.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'unmatched';
  return typeof route.path === 'string' ? route.path : 'unmatched';
}
