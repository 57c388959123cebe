import { choiceOf, memberOf, withChoice } from '../catalogue/choice';
import type { Config } from '../config';
import { BASE_PATH, webhookPath } from '../contract/http';
import type { ProviderAdapters } from '../handlers';
import type { Pusher } from '../handlers/send-push';
import type { Deliverer } from '../handlers/webhook-deliver';
import type { WhyUnavailable } from '../intake/accept';
import type { Logger } from '../platform/logger';
import { AddressGuard } from '../platform/outbound/addresses';
import type { Queryable } from '../platform/postgres/database';
import { createAnalyticsStore } from '../providers/analytics-store/store';
import { dropDevice, readDevices } from '../providers/device-registry';
import { createFcmAdapter } from '../providers/fcm/adapter';
import type { OldData } from '../handlers/cleanup-old-data';
import { createFolderSource } from '../providers/old-data/folder';
import { createTableSource } from '../providers/old-data/table';
import { createEvmAdapter } from '../providers/evm/adapter';
import { createSendGridAdapter } from '../providers/sendgrid/adapter';
import { createSolanaAdapter } from '../providers/solana/adapter';
import { createStripeAdapter } from '../providers/stripe/adapter';
import { createSquareAdapter, type SquareAdapter } from '../providers/square/adapter';
import { createSubscriberAdapter } from '../providers/subscriber/adapter';
import { createSuppressionList } from '../providers/suppression-list';
import { createTwilioAdapter } from '../providers/twilio/adapter';
import { createWebPushAdapter } from '../providers/web-push/adapter';
import { noteAttempt, readDelivery } from '../subscriptions/deliveries';
import { disableSubscription } from '../subscriptions/rows';
import { secretsInForce } from '../subscriptions/secrets';
import type { Foundation } from './foundation';
import { composeArchive } from './reports';

/** An adapter for every provider that is configured. */
export function composeAdapters({ config, database }: Foundation): ProviderAdapters {
  const { stripe, square, email, sms, push, callbacks, webhooks, polygon, solana } = config;
  return {
    stripe: stripe && createStripeAdapter(withBase(stripe.apiBase, { secretKey: stripe.secretKey })),
    square: square && composeSquare(square),
    analytics: createAnalyticsStore(database),
    oldData: composeOldData(config, database),
    reports: composeArchive({ config, database }),
    minters: {
      ...(polygon && { polygon: createEvmAdapter(polygon, database) }),
      ...(solana && { solana: createSolanaAdapter(solana, database) }),
    },
    mailer: email && {
      sendgrid: createSendGridAdapter(withBase(email.apiBase, { apiKey: email.apiKey })),
      from: email.from,
      suppressions: createSuppressionList(database),
    },
    texter: sms && {
      twilio: createTwilioAdapter({
        ...withBase(sms.apiBase, { accountSid: sms.accountSid, authToken: sms.authToken }),
        ...(webhooks.twilio && { callbackUrl: `${webhooks.twilio.publicUrl}${BASE_PATH}${webhookPath('twilio')}` }),
      }),
      from: sms.from,
      lookupLagMs: sms.lookupLagMs,
    },
    pusher: push && composePusher(push, config.outbound, database),
    deliverer: callbacks && composeDeliverer(callbacks.secret, config.outbound, database),
  };
}

function composeSquare({ accessToken, apiBase, locationId }: NonNullable<Config['square']>): SquareAdapter {
  return createSquareAdapter({
    ...withBase(apiBase, { accessToken }),
    ...(locationId === undefined ? {} : { locationId }),
  });
}

function composePusher(
  { fcm, vapid }: NonNullable<Config['push']>,
  { allowed, ca }: Config['outbound'],
  database: Queryable,
): Pusher {
  return {
    fcm: fcm && createFcmAdapter(withBase(fcm.apiBase, { account: fcm.account, ca })),
    webPush: vapid && createWebPushAdapter({ vapid, guard: new AddressGuard(allowed), ca }),
    devices: { of: (userId) => readDevices(database, userId), drop: (device) => dropDevice(database, device) },
  };
}

function composeOldData({ cleanup }: Config, database: Queryable): OldData {
  const { sessions, tempFolder, logFolder } = cleanup;
  return {
    ...(sessions && { sessions: createTableSource(database, sessions) }),
    ...(tempFolder !== undefined && { temp_files: createFolderSource(tempFolder) }),
    ...(logFolder !== undefined && { old_logs: createFolderSource(logFolder) }),
  };
}

function composeDeliverer(secret: string, { allowed, ca }: Config['outbound'], database: Queryable): Deliverer {
  return {
    subscriber: createSubscriberAdapter(new AddressGuard(allowed), ca),
    deliveries: {
      read: async (key) => {
        const delivery = await readDelivery(database, key);
        if (delivery === undefined || delivery === 'delivered') return delivery ?? 'ended';
        const { url, body, secrets } = delivery;
        return { url, body, secrets: secretsInForce(secret, key.subscriptionId, secrets, new Date()) };
      },
      note: (key, state, answer) => noteAttempt(database, key, state, answer),
      disable: (subscriptionId, reason) => disableSubscription(database, subscriptionId, reason),
    },
  };
}

/** What this deployment cannot run: a type, or a part of one (`payment-process:square`), with the reason. */
function unavailableWork(config: Config): ReadonlyMap<string, string> {
  const { stripe, square, email, sms, push, cleanup, reports, polygon, solana, callbacks } = config;
  const needed: [string, string[], unknown][] = [
    ['STRIPE_SECRET_KEY', ['payment-process:stripe', 'refund-process:stripe', 'payout-process'], stripe],
    ['SQUARE_ACCESS_TOKEN', ['payment-process:square', 'refund-process:square'], square],
    ['SENDGRID_API_KEY', ['send-email'], email],
    ['TWILIO_ACCOUNT_SID', ['send-sms'], sms],
    ['FCM_SERVICE_ACCOUNT (or VAPID_PUBLIC_KEY)', ['send-push'], push],
    ['REPORTS_DIR (or S3_BUCKET)', ['generate-report'], reports],
    ['WEBHOOK_SIGNING_SECRET', ['webhook-deliver'], callbacks],
    ['CLEANUP_SESSIONS', ['cleanup-old-data:sessions'], cleanup.sessions],
    ['CLEANUP_TEMP_FOLDER', ['cleanup-old-data:temp_files'], cleanup.tempFolder],
    ['CLEANUP_LOG_FOLDER', ['cleanup-old-data:old_logs'], cleanup.logFolder],
    ['POLYGON_RPC_URL', ['nft-mint:polygon'], polygon],
    ['SOLANA_RPC_URL', ['nft-mint:solana'], solana],
  ];
  return new Map(
    needed.flatMap(([variable, work, configured]) =>
      configured === undefined ? work.map((name): [string, string] => [name, `${variable} is not set`]) : [],
    ),
  );
}

/** Says at the start what will be refused, and why; answers with the same. */
export function tellUnavailable(config: Config, log: Logger): Record<string, string> {
  const unavailable = [...unavailableWork(config)];
  const why = unavailable.map((entry) => entry.join(': '));
  if (why.length > 0) log.warn('jobs that this deployment cannot run are refused', { why });
  return Object.fromEntries(unavailable);
}

/** By configuration, which is the same in all processes. */
export function availability(config: Config): WhyUnavailable {
  const unavailable = unavailableWork(config);
  return (type, payload) => {
    const chosen = choiceOf(type, withChoice(type, payload, config.intake.claims.defaultChoices));
    const kind = chosen ?? (type.kindBy === undefined ? undefined : memberOf(payload, type.kindBy));
    return unavailable.get(type.name) ?? (kind === undefined ? undefined : unavailable.get(`${type.name}:${kind}`));
  };
}

function withBase<Options extends object>(
  apiBase: string | undefined,
  options: Options,
): Options & { apiBase?: string } {
  return apiBase === undefined ? options : { ...options, apiBase };
}
