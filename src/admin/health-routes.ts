/** Three levels of health: that the process lives, that it can do its work, and what exactly is the matter. */
import type { Response } from 'express';
import type { Admission } from './admission';
import type { Health, Look } from './health';
import type { Route } from './route';

export interface HealthSteps {
  health: Health;
  admission: Admission;
  /** Why no money requests are taken, though everything answers. */
  moneyProblem: () => string | undefined;
  /** Of each provider whether its webhooks are taken, or why not. */
  webhooks: Record<string, string>;
  /** What is told of the process itself. */
  about: { service: string; instance: string; roles: string[]; unavailable: Record<string, string> };
}

type Word = 'healthy' | 'unhealthy';

export function healthRoutes(steps: HealthSteps): Route[] {
  return [
    {
      method: 'get',
      path: '/health/live',
      access: 'everybody',
      // That this is answered proves that the event loop turns; whatever else fails, a restart would not mend it.
      handle: async (_, response) => void response.json({ status: 'alive', ...now() }),
    },
    {
      method: 'get',
      path: '/health/ready',
      access: 'everybody',
      handle: async (_, response) => {
        const ready = steps.admission.phase === 'running' && (await steps.health.look()).every(isHealthy);
        answer(response, ready, { status: ready ? 'ready' : 'not ready', ...now() });
      },
    },
    {
      method: 'get',
      path: '/health',
      access: 'everybody',
      handle: async (_, response) => {
        const checks = summary(steps, await steps.health.look());
        const healthy = Object.values(checks).every((check) => check === 'healthy');
        answer(response, healthy, { status: healthy ? 'healthy' : 'degraded', checks, ...now() });
      },
    },
    {
      method: 'get',
      path: '/health/details',
      access: 'roles',
      roles: ['monitoring', 'admin'],
      handle: async (_, response) => {
        const looks = await steps.health.look();
        const healthy = Object.values(summary(steps, looks)).every((check) => check === 'healthy');
        answer(response, healthy, {
          status: healthy ? 'healthy' : 'degraded',
          ...steps.about,
          phase: steps.admission.phase,
          uptimeSeconds: Math.round(process.uptime()),
          intakeBlockedBy: steps.moneyProblem() ?? null,
          providerWebhooks: steps.webhooks,
          checks: looks.map(({ name, of, healthy, error }) => ({ name, of, status: word(healthy), error })),
          ...now(),
        });
      },
    },
  ];
}

/** The four parts that dashboards know, and the broker. What the process has no use for is healthy. */
function summary({ admission, moneyProblem }: HealthSteps, looks: Look[]): Record<string, Word> {
  const all = (of: Look['of']): Word => word(looks.filter((look) => look.of === of).every(isHealthy));
  return {
    service: word(admission.phase === 'running'),
    database: all('database'),
    redis: all('redis'),
    queues: word(moneyProblem() === undefined),
    broker: all('broker'),
  };
}

function isHealthy({ healthy }: Look): boolean {
  return healthy;
}

function word(healthy: boolean): Word {
  return healthy ? 'healthy' : 'unhealthy';
}

function now() {
  return { timestamp: new Date().toISOString() };
}

function answer(response: Response, good: boolean, body: object): void {
  response.status(good ? 200 : 503).json(body);
}
