import type { Metrics } from '../platform/metrics';
import type { Route } from './route';

/** @param fixedToken of scrapers that cannot get a token of their own */
export function metricsRoutes({ registry }: Metrics, fixedToken: string | undefined): Route[] {
  return [
    {
      method: 'get',
      path: '/metrics/prometheus',
      access: 'scrapers',
      roles: ['monitoring', 'admin'],
      fixedToken,
      handle: async (_, response) => {
        const text = await registry.metrics();
        response.set('Content-Type', registry.contentType).send(text);
      },
    },
  ];
}
