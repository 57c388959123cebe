import type { ServiceUrls } from './types';

/** Names the local set that the URLs in the environment belong to. Absent when somebody else put them there. */
export const SET_VARIABLE = 'SERVICES_SET';

/**
 * The servers that the environment names, if it names them all: then nothing is started. URLs that a launcher put there
 * itself do not count, so a test may still start a set of its own, or take hold of the one it runs on.
 */
export function urlsFromEnvironment(environment: NodeJS.ProcessEnv): ServiceUrls | undefined {
  if (environment[SET_VARIABLE]) return undefined;
  const { DATABASE_URL, REDIS_MONEY_URL, REDIS_COMMUNICATION_URL, REDIS_BACKGROUND_URL, REDIS_LIMITER_URL, AMQP_URL } =
    environment;
  if (!DATABASE_URL || !REDIS_MONEY_URL || !REDIS_COMMUNICATION_URL || !REDIS_BACKGROUND_URL) return undefined;
  if (!REDIS_LIMITER_URL || !AMQP_URL) return undefined;
  return {
    DATABASE_URL,
    REDIS_MONEY_URL,
    REDIS_COMMUNICATION_URL,
    REDIS_BACKGROUND_URL,
    REDIS_LIMITER_URL,
    AMQP_URL,
    RABBITMQ_MANAGEMENT_URL: environment['RABBITMQ_MANAGEMENT_URL'] ?? usualManagementUrl(AMQP_URL),
  };
}

/** The management plugin's standard port on the broker's host, with the broker's credentials. */
function usualManagementUrl(amqpUrl: string): string {
  const { username, password, hostname } = new URL(amqpUrl);
  return `http://${username || 'guest'}:${password || 'guest'}@${hostname}:15672`;
}

/** What child processes get: the URLs, and whose they are. */
export function environmentOf(set: { set: string; urls: ServiceUrls; external: boolean }): Record<string, string> {
  return { ...set.urls, ...(!set.external && { [SET_VARIABLE]: set.set }) };
}
