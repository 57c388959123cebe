/** How somebody gets in: a key made for this run, tokens signed by it, and where everything listens. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { ServiceUrls } from '../services';
import type { StandIns } from './stand-ins';

const ROLES = ['user', 'service', 'admin', 'monitoring'] as const;
type Role = (typeof ROLES)[number];

const TOKENS_LAST_HOURS = 12;
const MANAGEMENT_LIMIT_MS = 3_000;

/** Signs tokens as the platform's identity provider would. */
export class AccessKey {
  private readonly pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });

  /** In PEM: what the service verifies tokens with. */
  get publicKey(): string {
    return this.pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  token(role: Role): string {
    // A user's id is the `userId` of what the user asks for.
    const id = role === 'user' ? randomUUID() : `some-${role}`;
    const options = { algorithm: 'RS256', expiresIn: `${TOKENS_LAST_HOURS}h` } as const;
    return jwt.sign({ id, role, venues: [] }, this.pair.privateKey, options);
  }
}

export interface Places {
  /** Of the process that has the role `api`. */
  serviceUrl: string;
  urls: ServiceUrls;
  providers: StandIns;
}

/** Prints everything that is needed to try the service out. */
export async function printAccess(key: AccessKey, { serviceUrl, urls, providers }: Places): Promise<void> {
  const api = `${serviceUrl}/api/v1/queue`;
  const managed = await managementAnswers(urls.RABBITMQ_MANAGEMENT_URL);
  const places = {
    API: api,
    metrics: `${api}/metrics/prometheus`,
    health: `${api}/health/details`,
    charges: `${providers.payments.url}/_sandbox/ledger`,
    mails: `${providers.mails.url}/_sandbox/ledger`,
    notifications: `${providers.notifications.url}/_sandbox/ledger`,
    ...(managed ? { 'RabbitMQ management': urls.RABBITMQ_MANAGEMENT_URL } : {}),
    RabbitMQ: urls.AMQP_URL,
    PostgreSQL: urls.DATABASE_URL,
  };
  const tokens = Object.fromEntries(ROLES.map((role) => [role, key.token(role)]));
  const lines = [
    ...linesOf(places),
    `Tokens, good for ${TOKENS_LAST_HOURS} hours`,
    ...linesOf(tokens),
    'Try',
    `  curl -X POST ${api}/jobs -H 'Authorization: Bearer ${tokens['service']}' \\`,
    `    -H 'Content-Type: application/json' -d '{ "type": "canary-money", "data": { "n": 1 } }'`,
    'Everything runs until Ctrl-C.',
  ];
  console.log(`\n${lines.join('\n')}`);
}

function linesOf(values: Record<string, string>): string[] {
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  return Object.entries(values).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

/** The plugin may not be there where the servers are not ours. */
async function managementAnswers(url: string): Promise<boolean> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  try {
    const answer = await fetch(`${origin}/api/overview`, {
      headers: { authorization },
      signal: AbortSignal.timeout(MANAGEMENT_LIMIT_MS),
    });
    return answer.ok;
  } catch {
    return false;
  }
}
