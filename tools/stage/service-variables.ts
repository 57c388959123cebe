import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { VARIABLE_NAMES } from '../../src/config/environment';
import { CHECKOUT } from '../services/layout';
import { isFree } from '../services/ports';
import type { ServiceUrls } from '../services';
import type { AccessKey } from './access';
import type { StandIns } from './stand-ins';

/** Below the ports that the system hands to outgoing connections. */
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 31_999;

/**
 * What the service must have to run on these servers, with these providers, and to believe tokens of this key.
 * @param folder where it may leave files
 */
export function serviceVariables(
  urls: ServiceUrls,
  { payments, mails, notifications }: StandIns,
  key: AccessKey,
  folder: string,
): Record<string, string> {
  return {
    ...urls,
    IDEMPOTENCY_KEY_SECRET: 'known to everybody, and good for trying things out alone',
    STRIPE_SECRET_KEY: 'sk_test_local',
    STRIPE_API_BASE: payments.url,
    SENDGRID_API_KEY: 'SG.test.local',
    SENDGRID_API_BASE: mails.url,
    EMAIL_FROM: 'Our Tickets <tickets@example.com>',
    FCM_SERVICE_ACCOUNT: serviceAccountOf(notifications.url),
    FCM_API_BASE: notifications.url,
    WEBHOOK_SIGNING_SECRET: 'also known to everybody, and good for trying things out alone',
    // The usual ones are those of real accounts: a whole sale would take minutes.
    RATE_LIMIT_STRIPE: '500',
    RATE_LIMIT_SENDGRID: '500',
    RATE_LIMIT_PUSH: '1000',
    RATE_LIMIT_INTERNAL: '1000',
    REPORTS_DIR: path.join(folder, 'reports'),
    S3_BUCKET: '',
    JWT_PUBLIC_KEY: key.publicKey,
    // Whatever the caller has set: these would keep the service from believing that key.
    JWKS_URL: '',
    JWT_ISSUER: '',
    JWT_AUDIENCE: '',
  };
}

/** What the service knows webhooks of stand-ins by. */
export function webhookVariables(): Record<string, string> {
  const lines = readFileSync(path.join(CHECKOUT, 'sandbox.env'), 'utf8').split('\n');
  const wanted = lines.filter((line) => /^(STRIPE_WEBHOOK_SECRET|SENDGRID_WEBHOOK_PUBLIC_KEY)=/.test(line));
  return Object.fromEntries(wanted.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
}

/** The stand-in's own, which gets its tokens from the stand-in. */
function serviceAccountOf(url: string): string {
  const file = path.join(CHECKOUT, 'test/support/sandbox/fcm/service-account.json');
  const account = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));
  return JSON.stringify({ ...account, token_uri: `${url}/token` });
}

/** Our own environment without anything that would configure the service. */
export function withoutServiceVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const configures = (name: string): boolean => VARIABLE_NAMES.includes(name.replace(/_FILE$/, ''));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !configures(name)));
}

/** @param preferred taken when nobody else listens there */
export async function freePort(preferred?: number): Promise<number> {
  for (let port = preferred ?? randomPort(); ; port = randomPort()) if (await isFree(port)) return port;
}

function randomPort(): number {
  return randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
}
