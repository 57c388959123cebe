import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { folder, oldRows } from './places';
import { jwksUrl, jwtPublicKey } from './jwt-key';
import { certificates, networks } from './outbound';
import { serviceAccount, vapidKey } from './push-keys';
import { publicUrl, sendgridWebhookKey, stripeWebhookSecrets } from './webhooks';

/** Set and not empty counts; an empty variable is one that is not set. */
export type Environment = Record<string, string | undefined>;

/** A configuration that cannot be used, with everything that is wrong with it. The process exits with code 78. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const ROLES = ['api', 'consumer', 'worker', 'relay', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

const QUEUES = ['money', 'communication', 'background'] as const;

/** A comma list of these words, one at least. */
const listOf = <Word extends string>(words: readonly [Word, ...Word[]]) =>
  z
    .string()
    .transform((list) => list.split(',').map((word) => word.trim()))
    .pipe(z.array(z.enum(words)).min(1));

const positive = z.coerce.number().int().positive();
const rate = z.coerce.number().positive().max(1_000_000);
/** A URL of one of these protocols. */
const url = (...protocols: string[]) =>
  z.url({ protocol: new RegExp(`^(${protocols.join('|')})$`), error: `must be a URL of ${protocols.join(' or ')}` });

/** `tickets@example.com`, or `Our Tickets <tickets@example.com>`. */
const sender = z
  .string()
  .transform((text) => {
    const [, name = '', email = text] = /^(.*?)\s*<([^<>]*)>$/.exec(text) ?? [];
    return name === '' ? { email } : { email, name };
  })
  .pipe(
    z.object({
      email: z.email('must be an address, or a name with an address in <>'),
      name: z.string().exactOptional(),
    }),
  );

const KEY_NUMBERS = 64;

/** `[12,34,…]`: never repeated in a message. */
const solanaKey = z
  .string()
  .regex(/^\s*\[\s*\d{1,3}(\s*,\s*\d{1,3})*\s*\]\s*$/, 'must be a list of 64 numbers in brackets')
  .transform((text) => [...text.matchAll(/\d+/g)].map(([number]) => Number(number)))
  .refine(
    (numbers) => numbers.length === KEY_NUMBERS && numbers.every((number) => number < 256),
    'must be a list of 64 numbers below 256',
  );

/** Every variable, as it stands in the environment. */
const variables = z.object({
  SERVICE_NAME: z.string().default('queue-service'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ROLES: listOf(ROLES).default([...ROLES]),
  SHUTDOWN_TIMEOUT_MS: positive.default(30_000),

  /** 0 takes any free port. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(3020),
  /** How providers call this service from outside; without it Twilio's callbacks are neither asked for nor taken. */
  PUBLIC_URL: publicUrl.optional(),
  JWT_PUBLIC_KEY: jwtPublicKey.optional(),
  JWKS_URL: jwksUrl.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  /** Instead of a token of the role `monitoring`, for scrapers. */
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be of visible ASCII characters')
    .optional(),

  DATABASE_URL: url('postgres', 'postgresql'),
  /** Past a pooler, for LISTEN. */
  DATABASE_DIRECT_URL: url('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: positive.default(10),
  DATABASE_PREPARED_STATEMENTS: z.stringbool().default(true),

  REDIS_MONEY_URL: url('redis', 'rediss').optional(),
  REDIS_COMMUNICATION_URL: url('redis', 'rediss').optional(),
  REDIS_BACKGROUND_URL: url('redis', 'rediss').optional(),
  REDIS_LIMITER_URL: url('redis', 'rediss').optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: positive.default(6379),
  REDIS_PASSWORD: z.string().optional(),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[\w-]+$/)
    .default('queue-service'),

  AMQP_URL: url('amqp', 'amqps'),
  RABBITMQ_MANAGEMENT_URL: url('http', 'https').optional(),
  CONSUMER_PREFETCH: positive.default(400),

  /** Turns default idempotency keys, which hold addresses, into what is stored. Changing it forgets those keys. */
  IDEMPOTENCY_KEY_SECRET: z.string().min(32),
  MONEY_WINDOW: positive.default(50_000),
  COMMUNICATION_WINDOW: positive.default(100_000),
  BACKGROUND_WINDOW: positive.default(100_000),
  /** The queues that this process works on. */
  WORKER_QUEUES: listOf(QUEUES).default([...QUEUES]),
  CANARY_CONCURRENCY: positive.default(400),
  MAX_BATCH: positive.default(200),

  /** Requests per second to an account, instead of the catalogue's. */
  RATE_LIMIT_STRIPE: rate.optional(),
  RATE_LIMIT_SQUARE: rate.optional(),
  RATE_LIMIT_SENDGRID: rate.optional(),
  RATE_LIMIT_TWILIO: rate.optional(),
  RATE_LIMIT_SOLANA: rate.optional(),
  RATE_LIMIT_POLYGON: rate.optional(),
  RATE_LIMIT_QUICKBOOKS: rate.optional(),
  RATE_LIMIT_PUSH: rate.optional(),
  RATE_LIMIT_INTERNAL: rate.optional(),

  /** What jobs use that name no provider or chain themselves. */
  PAYMENT_PROVIDER: z.enum(['stripe', 'square']).default('stripe'),
  MINT_CHAIN: z.enum(['solana', 'polygon']).default('polygon'),

  /** Without it nothing is paid, refunded or paid out by Stripe. */
  STRIPE_SECRET_KEY: z.string().min(1).optional(),
  STRIPE_API_BASE: url('http', 'https').optional(),
  /** Without it Stripe's webhooks are refused. */
  STRIPE_WEBHOOK_SECRET: stripeWebhookSecrets.optional(),

  /** Without it nothing is paid or refunded by Square. */
  SQUARE_ACCESS_TOKEN: z.string().min(1).optional(),
  SQUARE_API_BASE: url('http', 'https').optional(),
  /** Where payments are taken; the account's main location otherwise. */
  SQUARE_LOCATION_ID: z.string().min(1).max(50).optional(),

  /** Without it no mails are sent, and none are taken. */
  SENDGRID_API_KEY: z.string().startsWith('SG.', 'must begin with SG.').optional(),
  SENDGRID_API_BASE: url('http', 'https').optional(),
  EMAIL_FROM: sender.optional(),
  /** Without it SendGrid's webhooks are refused. */
  SENDGRID_WEBHOOK_PUBLIC_KEY: sendgridWebhookKey.optional(),

  /** Without it no text messages are sent, and none are taken. */
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/i, 'must be AC and 32 hexadecimal digits')
    .optional(),
  TWILIO_AUTH_TOKEN: z.string().optional(),
  /** Who text messages are from. */
  TWILIO_PHONE: z.e164('must be a number in E.164, such as +15550100000').optional(),
  TWILIO_API_BASE: url('http', 'https').optional(),

  /** The JSON file of a service account, as Firebase gives it out. */
  FCM_SERVICE_ACCOUNT: serviceAccount.optional(),
  FCM_API_BASE: url('http', 'https').optional(),
  /** For browsers without FCM: the keys by which their push services know us. */
  VAPID_PUBLIC_KEY: vapidKey(65).optional(),
  VAPID_PRIVATE_KEY: vapidKey(32).optional(),
  /** Whom push services write to when something is wrong: `mailto:` or `https:`. */
  VAPID_SUBJECT: url('mailto', 'https').optional(),

  /** What the secrets of webhook subscriptions are derived from. Without it nobody is called back; changing it changes them all. */
  WEBHOOK_SIGNING_SECRET: z.string().min(32).optional(),

  /** Networks inside, in CIDR, that addresses named by others may lead to all the same. */
  OUTBOUND_ALLOW: networks.default([]),
  /** Certificates in PEM that are trusted for such addresses and for FCM, beside the usual ones. */
  OUTBOUND_CA: certificates.optional(),

  /** Where reports are kept: a folder that all replicas see, or a bucket of S3 or of what speaks like it. */
  REPORTS_DIR: folder.optional(),
  S3_BUCKET: z.string().min(3).max(63).optional(),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_ENDPOINT: url('http', 'https').optional(),
  S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),

  /** What `cleanup-old-data` takes away, each kind where it is named alone. */
  CLEANUP_SESSIONS: oldRows.optional(),
  CLEANUP_TEMP_FOLDER: folder.optional(),
  CLEANUP_LOG_FOLDER: folder.optional(),
  /** Without it nothing is minted on Polygon, and no such job is taken. It often holds a key, so it is told nobody. */
  POLYGON_RPC_URL: url('http', 'https').optional(),
  /** Of the account that mints and pays. */
  POLYGON_SIGNER_KEY: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/i, 'must be 0x and 64 hexadecimal digits')
    .optional(),
  POLYGON_CONTRACT_ADDRESS: z
    .string()
    .regex(/^0x[0-9a-f]{40}$/i, 'must be 0x and 40 hexadecimal digits')
    .optional(),
  /** Without it nothing is minted on Solana. It often holds a key, so it is told nobody. */
  SOLANA_RPC_URL: url('http', 'https').optional(),
  /** Of the account that mints and pays: the 64 numbers that `solana-keygen` writes. */
  SOLANA_SIGNER_KEY: solanaKey.optional(),
  /** Makes tickets into addresses of tokens: another one makes other addresses, so it never changes. */
  SOLANA_MINT_SECRET: z.string().min(32).optional(),
  /** 80002 is Amoy, Polygon's test network. */
  POLYGON_CHAIN_ID: positive.default(137),
  /**
   * Blocks, that of the mint included, until a mint counts. A minute; Polygon finalises within seconds. A node is asked
   * for its state so many blocks ago, and keeps that of 128 unless it is an archive.
   */
  POLYGON_CONFIRMATIONS: positive.max(100).default(32),
});

export type Variables = z.infer<typeof variables>;

export const VARIABLE_NAMES: readonly string[] = Object.keys(variables.shape);

/** Refused by name: tokens are verified with public keys only. */
const REFUSED = ['JWT_SECRET'];

/**
 * Reads all variables at once; a secret may come from the file that `<NAME>_FILE` names.
 * @throws ConfigError that lists every problem
 */
export function readEnvironment(environment: Environment): Variables {
  const problems = REFUSED.filter((name) => environment[name]).map((name) => `${name} is not accepted`);
  const values = withFiles(environment, problems);
  const parsed = variables.safeParse(values);
  problems.push(...missingRedis(values));
  if (values['JWT_PUBLIC_KEY'] && values['JWKS_URL']) problems.push('JWT_PUBLIC_KEY and JWKS_URL exclude each other');
  if (values['REPORTS_DIR'] && values['S3_BUCKET']) problems.push('REPORTS_DIR and S3_BUCKET exclude each other');
  problems.push(...missingBeside(values));
  if (parsed.success && problems.length === 0) return parsed.data;
  const issues = parsed.success
    ? []
    : parsed.error.issues.map(
        (issue) => `${issue.path.join('.')}: ${missing(issue.path, values) ? 'is missing' : issue.message}`,
      );
  throw new ConfigError(['The configuration cannot be used:', ...problems, ...issues].join('\n  '));
}

/** What some variables are of no use without. */
const NEEDED_BESIDE = {
  S3_ACCESS_KEY_ID: ['S3_SECRET_ACCESS_KEY', 'S3_BUCKET'],
  SENDGRID_API_KEY: ['EMAIL_FROM'],
  TWILIO_ACCOUNT_SID: ['TWILIO_AUTH_TOKEN', 'TWILIO_PHONE'],
  VAPID_PUBLIC_KEY: ['VAPID_PRIVATE_KEY', 'VAPID_SUBJECT'],
  POLYGON_RPC_URL: ['POLYGON_SIGNER_KEY', 'POLYGON_CONTRACT_ADDRESS'],
  SOLANA_RPC_URL: ['SOLANA_SIGNER_KEY', 'SOLANA_MINT_SECRET'],
};

function missingBeside(values: Environment): string[] {
  return Object.entries(NEEDED_BESIDE).flatMap(([name, others]) =>
    others.filter((other) => values[name] && !values[other]).map((other) => `${other} must be set with ${name}`),
  );
}

function missing(path: PropertyKey[], values: Environment): boolean {
  return path.length === 1 && values[String(path[0])] === undefined;
}

function missingRedis(values: Environment): string[] {
  return ['REDIS_MONEY_URL', 'REDIS_COMMUNICATION_URL', 'REDIS_BACKGROUND_URL', 'REDIS_LIMITER_URL']
    .filter((name) => (values[name] ?? values['REDIS_HOST']) === undefined)
    .map((name) => `${name} or REDIS_HOST must be set`);
}

function withFiles(environment: Environment, problems: string[]): Environment {
  const values: Environment = {};
  for (const name of VARIABLE_NAMES) {
    const direct = environment[name];
    const file = environment[`${name}_FILE`];
    if (direct) values[name] = direct;
    else if (file) values[name] = readSecret(name, file, problems);
  }
  return values;
}

function readSecret(name: string, file: string, problems: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE: cannot be read`);
    return undefined;
  }
}
