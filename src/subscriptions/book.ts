/**
 * Which outcomes somebody wants to be called back about. Looked up with every transaction that publishes some, so it is known
 * in memory whether there is anything to look up at all.
 */
import { eventMessage } from '../contract/envelope';
import { EXCHANGES, JOB_REQUESTED, SERVICE_SOURCE } from '../contract/names';
import { uuidV5 } from '../platform/ids';
import { describeError, type Logger } from '../platform/logger';
import type { Queryable, Transaction } from '../platform/postgres/database';
import { Loop } from '../platform/time';
import { insertDeliveries, type DeliveryKey, type ToldOutcome } from './deliveries';
import { readInterests, type Subscription } from './rows';

/** A subscription is heard of by all processes after so long. */
const LOOK_EVERY_MS = 2_000;
/** What a call itself comes to is called back to nobody, or there would be no end to it. */
const DELIVERY = 'webhook-deliver';

/** A message on its way to the broker, which may be an outcome. */
interface Published {
  id: string;
  exchange: string;
  /** Of an outcome: `<tier>.<type>.<outcome>`. */
  routingKey: string;
  body: string;
}

type Interest = Pick<Subscription, 'jobTypes' | 'outcomes'>;

export class SubscriptionBook {
  /** Undefined until they were read for the first time: then every outcome is looked up. */
  private interests: readonly Interest[] | undefined;
  private readonly loop: Loop;

  constructor(database: Queryable, log: Logger) {
    this.loop = new Loop(
      async () => {
        this.interests = await readInterests(database);
      },
      LOOK_EVERY_MS,
      (error) => log.warn('webhook subscriptions not read', { error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Notes whom the outcomes are to be delivered to; answers with the requests for that, which the outbox must take. */
  async requestsFor(tx: Transaction, published: Published[]) {
    const outcomes = published.filter(({ exchange }) => exchange === EXCHANGES.outcomes);
    const wanted = outcomes.map(toTold).filter((outcome) => this.isWanted(outcome));
    if (wanted.length === 0) return [];
    return (await insertDeliveries(tx, wanted)).map(requestOf);
  }

  private isWanted({ jobType, outcome }: ToldOutcome): boolean {
    if (jobType === DELIVERY) return false;
    return (
      this.interests?.some((interest) => has(interest.jobTypes, jobType) && has(interest.outcomes, outcome)) ?? true
    );
  }
}

function has(wanted: readonly string[], word: string): boolean {
  return wanted.length === 0 || wanted.includes(word);
}

function toTold({ id, routingKey, body }: Published): ToldOutcome {
  const [, jobType = '', outcome = ''] = routingKey.split('.');
  return { eventId: id, jobType, outcome, body };
}

/** Asks for the delivery as anybody asks for a job; the same delivery is the same request. */
function requestOf({ subscriptionId, eventId }: DeliveryKey) {
  const id = uuidV5(eventId, `deliver to ${subscriptionId}`);
  return {
    orderingKey: id,
    exchange: EXCHANGES.requests,
    routingKey: `communication.${DELIVERY}`,
    alsoTo: [],
    mandatory: true,
    ...eventMessage({
      id,
      source: SERVICE_SOURCE,
      type: JOB_REQUESTED,
      time: new Date().toISOString(),
      correlationId: undefined,
      traceparent: undefined,
      data: { type: DELIVERY, data: { subscriptionId, eventId } },
    }),
  };
}
