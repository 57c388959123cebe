import type { KeyObject } from 'node:crypto';
import { Admission } from '../admin/admission';
import { createApp, routesOf } from '../admin/app';
import { Authenticator, type KeySource } from '../admin/authenticate';
import { deviceRoutes } from '../admin/device-routes';
import { Health } from '../admin/health';
import { healthRoutes } from '../admin/health-routes';
import { countRefusals, httpMetrics } from '../admin/instruments';
import { jobRoutes } from '../admin/job-routes';
import { JwksKeys } from '../admin/jwks';
import { metricsRoutes } from '../admin/metrics-routes';
import type { Route } from '../admin/route';
import { HttpServer } from '../admin/server';
import { Submitter } from '../admin/submitter';
import { webhookMetrics, webhookRoutes } from '../admin/webhook-routes';
import type { IntakeRequest } from '../intake/request';
import { webhookSubscriptionRoutes } from '../admin/webhook-subscription-routes';
import type { JobView } from '../jobs/read';
import { readTimeline } from '../jobs/timeline';
import type { Component } from '../platform/lifecycle';
import { listDevices, registerDevice, removeDevice } from '../providers/device-registry';
import { listDeliveries } from '../subscriptions/deliveries';
import { deleteSubscription, insertSubscription, listSubscriptions, rotateSecret } from '../subscriptions/rows';
import { secretOf } from '../subscriptions/secrets';
import type { Foundation } from './foundation';
import type { IntakeRoom } from './intake';
import { composeOpeners, tellWebhooks } from './webhooks';
import { composeReportRoutes } from './reports';

/** A subscriber has a day to change its secret. */
const SECRET_OVERLAP_MS = 24 * 60 * 60 * 1_000;
/** The latest of a subscription. */
const SHOWN_DELIVERIES = 100;

export interface HttpParts {
  /** Absent where the process has not got the role `api`: then there are no routes for jobs. */
  jobs: { door: IntakeRoom; readJob: (jobId: string) => Promise<JobView | undefined> } | undefined;
  /** Why no money requests may be taken, though everything answers. */
  moneyProblem: () => string | undefined;
  /** What this deployment cannot run, with the reason. */
  unavailable: Record<string, string>;
  /** Everything that the process is made of. */
  components: () => Component[];
}

export interface HttpFront {
  /** Before everything that may take long to start or stop: probes are answered all the while. */
  first: Component[];
  /** After everything that requests need. */
  last: Component[];
  /** Undefined while nothing listens. */
  port: () => number | undefined;
  routes: { method: string; path: string }[];
}

/** Health and metrics of every process, and jobs by HTTP where it has the role for it. */
export function composeHttp(foundation: Foundation, parts: HttpParts): HttpFront {
  const { config, log } = foundation;
  const admission = new Admission();
  const instruments = httpMetrics(foundation.metrics);
  foundation.metrics.addProcessDefaults();
  const keys = composeKeys(foundation);
  const app = createApp({
    routes: [
      ...healthRoutes({
        health: new Health(parts.components),
        admission,
        moneyProblem: parts.moneyProblem,
        // Where there are no endpoints there is nothing to say.
        webhooks: parts.jobs ? tellWebhooks(config, log) : {},
        about: {
          service: config.serviceName,
          instance: config.instance,
          roles: [...config.roles],
          unavailable: parts.unavailable,
        },
      }),
      ...metricsRoutes(foundation.metrics, config.http.metricsToken),
      ...composeJobRoutes(foundation, parts),
      ...(parts.jobs
        ? [
            ...composeDeviceRoutes(foundation),
            ...composeSubscriptionRoutes(foundation),
            ...composeReportRoutes(foundation),
          ]
        : []),
    ],
    authenticator: new Authenticator(keys?.source, config.http.tokens),
    admission,
    metrics: instruments,
    log,
  });
  const server = new HttpServer(app, config.http, countRefusals(instruments));
  return {
    first: [
      ...(keys?.components ?? []),
      {
        name: 'http server',
        start: async () => {
          await server.listen();
          log.info('http server listens', { port: server.port });
        },
        stop: () => server.close(),
      },
    ],
    last: [
      {
        name: 'http admission',
        start: () => Promise.resolve(admission.open()),
        stop: () => admission.close(),
      },
    ],
    port: () => server.port,
    routes: routesOf(app),
  };
}

function composeJobRoutes({ config, log, metrics, database }: Foundation, { jobs }: HttpParts): Route[] {
  if (!jobs) return [];
  const { answerTimeoutMs } = config.http;
  const submitter = new Submitter(
    {
      accept: (offers) => jobs.door.intake.accept(offers),
      tierProblem: jobs.door.tierProblem,
    },
    answerTimeoutMs,
    log,
  );
  const submit = (request: IntakeRequest) => submitter.submit(request);
  return [
    ...jobRoutes(
      { submit, readJob: jobs.readJob, readTimeline: (jobId) => readTimeline(database, jobId) },
      answerTimeoutMs,
      log,
    ),
    ...webhookRoutes({ submit, open: composeOpeners(config) }, webhookMetrics(metrics), log),
  ];
}

/** None where nobody can be called back. */
function composeSubscriptionRoutes({ config, database, log }: Foundation): Route[] {
  const { callbacks } = config;
  if (!callbacks) return [];
  return webhookSubscriptionRoutes(
    {
      insert: (subscription) => insertSubscription(database, subscription),
      list: (createdBy) => listSubscriptions(database, createdBy),
      remove: (id, createdBy) => deleteSubscription(database, id, createdBy),
      rotate: (id, createdBy) => rotateSecret(database, id, createdBy, SECRET_OVERLAP_MS),
      deliveries: (id, createdBy) => listDeliveries(database, id, createdBy, SHOWN_DELIVERIES),
      secretOf: (id, version) => secretOf(callbacks.secret, id, version),
    },
    config.http.answerTimeoutMs,
    log,
  );
}

function composeDeviceRoutes({ config, database, log }: Foundation): Route[] {
  return deviceRoutes(
    {
      register: (userId, device) => registerDevice(database, userId, device),
      list: (userId) => listDevices(database, userId),
      remove: (userId, deviceId) => removeDevice(database, userId, deviceId),
    },
    config.http.answerTimeoutMs,
    log,
  );
}

function composeKeys({ config, log }: Foundation): { source: KeySource; components: Component[] } | undefined {
  const { publicKey, jwksUrl, keySet } = config.http.tokens;
  if (publicKey) return { source: oneKey(publicKey), components: [] };
  if (jwksUrl === undefined) {
    log.warn('no key for tokens: set JWT_PUBLIC_KEY or JWKS_URL; until then whatever needs a token is refused');
    return undefined;
  }
  const keys = new JwksKeys({ url: jwksUrl, ...keySet }, log);
  return { source: keys, components: [{ name: 'token keys', start: () => keys.start() }] };
}

/** The key of the configuration is meant whatever a token says about its own. */
function oneKey(key: KeyObject): KeySource {
  return { find: () => Promise.resolve(key) };
}
