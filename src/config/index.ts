import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { readEnvironment, type Environment, type Role, type Variables } from './environment';

export { ConfigError, type Role } from './environment';

/** Everything that the service is told from outside: parsed once, at start, and never changed. */
export type Config = Readonly<ReturnType<typeof loadConfig>>;

/** On a Redis that the tiers share; see the legacy configuration. */
const DATABASES = { money: 1, communication: 2, background: 3, limiter: 5 } as const;

/** @throws ConfigError that lists every problem */
export function loadConfig(environment: Environment) {
  const env = readEnvironment(environment);
  return Object.freeze({
    serviceName: env.SERVICE_NAME,
    /** Names this process in leases and timelines. Containers may share their host's name, and all have pid 1. */
    instance: [hostname(), process.pid, randomBytes(4).toString('hex')].join(':'),
    logLevel: env.LOG_LEVEL,
    roles: new Set<Role>(env.ROLES),
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
    http: {
      port: env.PORT,
      requestTimeoutMs: 15_000,
      headersTimeoutMs: 10_000,
      metricsToken: env.METRICS_TOKEN,
      /** A caller is told after so long that nothing was taken, or that nothing can be read. */
      answerTimeoutMs: 10_000,
      tokens: {
        publicKey: env.JWT_PUBLIC_KEY,
        jwksUrl: env.JWKS_URL,
        issuer: env.JWT_ISSUER,
        audience: env.JWT_AUDIENCE,
        keySet: { timeoutMs: 3_000, intervalMs: 30_000, retryMs: 1_000, maxAgeMs: 10 * 60 * 1_000 },
      },
    },
    database: {
      url: env.DATABASE_URL,
      directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
      prepareStatements: env.DATABASE_PREPARED_STATEMENTS,
      statementTimeoutMs: 15_000,
    },
    redis: {
      urls: {
        money: env.REDIS_MONEY_URL ?? sharedRedis(env, DATABASES.money),
        communication: env.REDIS_COMMUNICATION_URL ?? sharedRedis(env, DATABASES.communication),
        background: env.REDIS_BACKGROUND_URL ?? sharedRedis(env, DATABASES.background),
      },
      limiterUrl: env.REDIS_LIMITER_URL ?? sharedRedis(env, DATABASES.limiter),
      prefix: env.QUEUE_PREFIX,
      /** A money request is answered within 2 s, whatever Redis does. */
      commandTimeoutMs: 2_000,
    },
    rabbitmq: {
      url: env.AMQP_URL,
      managementUrl: env.RABBITMQ_MANAGEMENT_URL,
      prefetch: env.CONSUMER_PREFETCH,
      /** A message that the broker has not confirmed by then is published again. */
      confirmTimeoutMs: 10_000,
    },
    intake: {
      claims: {
        keySecret: env.IDEMPOTENCY_KEY_SECRET,
        defaultChoices: { provider: env.PAYMENT_PROVIDER, chain: env.MINT_CHAIN },
      },
      maxBatch: env.MAX_BATCH,
      /** Jobs that the Redis of a tier may hold. */
      windows: { money: env.MONEY_WINDOW, communication: env.COMMUNICATION_WINDOW, background: env.BACKGROUND_WINDOW },
    },
    worker: {
      queues: [...new Set(env.WORKER_QUEUES)],
      canaryConcurrency: env.CANARY_CONCURRENCY,
      maxBatch: env.MAX_BATCH,
      lockMs: 10_000,
      stalledCheckMs: 5_000,
    },
    relay: { batchSize: 500, pollMs: 1_000, maxAttempts: 20, wokenByWriters: true, leaseMs: 6_000 },
    recovery: { leaseMs: 6_000, checkEveryMs: 1_000, overdueEveryMs: 30_000, overdueByMs: 15_000 },
    proofs: { everyMs: 30_000 },
    limits: {
      rates: ratesOf(env),
      leaseMs: 15_000,
      circuit: { windowMs: 30_000, minCalls: 5, thresholdPercent: 50, resetMs: 10_000, probesToClose: 2 },
    },
    /** Undefined where Stripe is not used. */
    stripe:
      env.STRIPE_SECRET_KEY === undefined
        ? undefined
        : { secretKey: env.STRIPE_SECRET_KEY, apiBase: env.STRIPE_API_BASE },
    square: squareConfig(env),
    webhooks: webhooksConfig(env),
    email: emailConfig(env),
    sms: smsConfig(env),
    push: pushConfig(env),
    /** Undefined where nobody is called back about outcomes. */
    callbacks: env.WEBHOOK_SIGNING_SECRET === undefined ? undefined : { secret: env.WEBHOOK_SIGNING_SECRET },
    /** Connections to addresses that others have named. */
    outbound: { allowed: env.OUTBOUND_ALLOW, ca: env.OUTBOUND_CA },
    reports: reportsConfig(env),
    /** What is to be cleaned up, where it is named. */
    cleanup: { sessions: env.CLEANUP_SESSIONS, tempFolder: env.CLEANUP_TEMP_FOLDER, logFolder: env.CLEANUP_LOG_FOLDER },
    polygon: polygonConfig(env),
    solana: solanaConfig(env),
  });
}

/** Requests per second, where the environment names any. */
function ratesOf(env: Variables) {
  const named = {
    stripe: env.RATE_LIMIT_STRIPE,
    square: env.RATE_LIMIT_SQUARE,
    sendgrid: env.RATE_LIMIT_SENDGRID,
    twilio: env.RATE_LIMIT_TWILIO,
    solana: env.RATE_LIMIT_SOLANA,
    polygon: env.RATE_LIMIT_POLYGON,
    quickbooks: env.RATE_LIMIT_QUICKBOOKS,
    push: env.RATE_LIMIT_PUSH,
    internal: env.RATE_LIMIT_INTERNAL,
  };
  return named;
}

/** Undefined where Square is not used. */
function squareConfig(env: Variables) {
  if (env.SQUARE_ACCESS_TOKEN === undefined) return undefined;
  return { accessToken: env.SQUARE_ACCESS_TOKEN, apiBase: env.SQUARE_API_BASE, locationId: env.SQUARE_LOCATION_ID };
}

/** What is absent is not taken. */
function webhooksConfig(env: Variables) {
  const { TWILIO_AUTH_TOKEN: authToken, PUBLIC_URL: publicUrl } = env;
  return {
    // What a report is about is asked of Stripe.
    stripeSecrets: env.STRIPE_SECRET_KEY === undefined ? undefined : env.STRIPE_WEBHOOK_SECRET,
    sendgridKey: env.SENDGRID_WEBHOOK_PUBLIC_KEY,
    twilio: authToken === undefined || publicUrl === undefined ? undefined : { authToken, publicUrl },
  };
}

/** Undefined where no mails are sent. */
function emailConfig(env: Variables) {
  if (env.SENDGRID_API_KEY === undefined || env.EMAIL_FROM === undefined) return undefined;
  return { apiKey: env.SENDGRID_API_KEY, apiBase: env.SENDGRID_API_BASE, from: env.EMAIL_FROM };
}

/** Undefined where no text messages are sent. */
function smsConfig(env: Variables) {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_PHONE: from } = env;
  if (accountSid === undefined || authToken === undefined || from === undefined) return undefined;
  return {
    accountSid,
    authToken,
    apiBase: env.TWILIO_API_BASE,
    from,
    /** Twilio promises none; its own time limit for a request is said to be shorter (twilio/twilio-ruby, 519). */
    lookupLagMs: 30_000,
  };
}

/** Undefined where no notifications are sent. */
function pushConfig(env: Variables) {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = env;
  const account = env.FCM_SERVICE_ACCOUNT;
  const fcm = account && { account, apiBase: env.FCM_API_BASE };
  const hasVapid = publicKey !== undefined && privateKey !== undefined && subject !== undefined;
  const vapid = hasVapid ? { publicKey, privateKey, subject } : undefined;
  return fcm || vapid ? { fcm, vapid } : undefined;
}

/** Undefined where nothing is minted on Solana. */
function solanaConfig(env: Variables) {
  const { SOLANA_RPC_URL: rpcUrl, SOLANA_SIGNER_KEY: signerKey, SOLANA_MINT_SECRET: mintSecret } = env;
  if (rpcUrl === undefined || signerKey === undefined || mintSecret === undefined) return undefined;
  /** Final after 32 blocks of 0.4 s. */
  return { rpcUrl, signerKey, mintSecret, pollMs: 4_000 };
}

/** Undefined where nothing is minted on Polygon. */
function polygonConfig(env: Variables) {
  const { POLYGON_RPC_URL: rpcUrl, POLYGON_SIGNER_KEY: signerKey, POLYGON_CONTRACT_ADDRESS: contract } = env;
  if (rpcUrl === undefined || signerKey === undefined || contract === undefined) return undefined;
  return {
    rpcUrl,
    signerKey,
    contract,
    chainId: env.POLYGON_CHAIN_ID,
    confirmations: env.POLYGON_CONFIRMATIONS,
    /** Polygon makes a block in two seconds. */
    pollMs: 2_000,
    stuckAfterMs: 60_000,
  };
}

/** Undefined where reports have no place. */
function reportsConfig(env: Variables) {
  if (env.REPORTS_DIR !== undefined) return { folder: env.REPORTS_DIR };
  if (env.S3_BUCKET === undefined) return undefined;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  return {
    bucket: env.S3_BUCKET,
    region: env.S3_REGION,
    endpoint: env.S3_ENDPOINT,
    answerTimeoutMs: 30_000,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey },
  };
}

function sharedRedis(env: Variables, database: number): string {
  const url = new URL(`redis://${env.REDIS_HOST ?? ''}:${env.REDIS_PORT}/${database}`);
  if (env.REDIS_PASSWORD !== undefined) url.password = env.REDIS_PASSWORD;
  return url.toString();
}
