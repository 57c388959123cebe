import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import { z } from 'zod';
import { findJobType } from '../../../src/catalogue';
import { EXCHANGES } from '../../../src/contract/names';
import type { Timed, Verified } from './commands';
import { makeRequest } from './request';

/** Requests that the broker has not confirmed yet, at most. */
const CONFIRM_WINDOW = 500;
const LOOK_EVERY_MS = 20;
const OUTCOME_QUEUE = 'bench.outcomes';

/** All that is read of an outcome; the bare pipeline and the peers write the same. */
const outcome = z.object({ data: z.object({ requestId: z.string(), outcome: z.string() }) });

/**
 * The services around: publishes requests and gets their outcomes, in a queue of its own.
 *
 * While throughput is measured nothing is consumed: a look at the queue's length tells when the last outcome has been
 * confirmed, which takes next to nothing from those who are measured. Afterwards the outcomes are read and counted.
 */
export class Driver {
  /** Ids of the requests that have not been verified, with the time of their publication. */
  private readonly sent = new Map<string, number>();
  private count = 0;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly requests: ConfirmChannel,
    private readonly outcomes: ConfirmChannel,
  ) {}

  /** The exchanges must exist. */
  static async open(amqpUrl: string): Promise<Driver> {
    const connection = await connect(amqpUrl, { noDelay: true });
    const [requests, outcomes] = [await connection.createConfirmChannel(), await connection.createConfirmChannel()];
    await outcomes.assertQueue(OUTCOME_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await outcomes.bindQueue(OUTCOME_QUEUE, EXCHANGES.outcomes, '#');
    return new Driver(connection, requests, outcomes);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** Publishes as fast as the broker confirms, and waits until all outcomes have been confirmed. */
  async burst(type: string, jobs: number): Promise<Timed> {
    const before = await this.arrived();
    const begun = performance.now();
    await this.publish(type, jobs);
    await this.arrivals(before + jobs);
    return { jobs, seconds: (performance.now() - begun) / 1_000 };
  }

  async publish(type: string, jobs: number): Promise<void> {
    let left = jobs;
    const pump = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.send(type);
      }
    };
    await Promise.all(Array.from({ length: CONFIRM_WINDOW }, pump));
  }

  /**
   * Waits until so many outcomes are there.
   * @param from the clock runs from when the first so many were there
   */
  async arrivals(jobs: number, from = 0): Promise<Timed> {
    const first = await this.untilArrived(from);
    const begun = performance.now();
    const last = await this.untilArrived(jobs);
    return { jobs: last - first, seconds: (performance.now() - begun) / 1_000 };
  }

  private async untilArrived(jobs: number): Promise<number> {
    for (;;) {
      const arrived = await this.arrived();
      if (arrived >= jobs) return arrived;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Reads all outcomes that are there, and tells what they lack. */
  async verify(): Promise<Verified> {
    const told: Verified = { outcomes: 0, missing: 0, repeated: 0, notCompleted: 0 };
    const arrived = await this.arrived();
    const stop = await this.consume((id, name) => {
      told.outcomes += 1;
      if (!this.sent.delete(id)) told.repeated += 1;
      if (name !== 'completed') told.notCompleted += 1;
    });
    while (told.outcomes < arrived) await sleep(LOOK_EVERY_MS);
    await stop();
    told.missing = this.sent.size;
    this.sent.clear();
    return told;
  }

  /** Publishes at a fixed rate, however long outcomes take; the clock of each runs from its publication. */
  async pace(type: string, jobs: number, perSecond: number): Promise<number[]> {
    const waits: number[] = [];
    const stop = await this.consume((id) => this.take(id, waits));
    const begun = performance.now();
    for (let index = 0; index < jobs; index += 1) {
      const dueInMs = begun + (index * 1_000) / perSecond - performance.now();
      if (dueInMs > 1) await sleep(dueInMs);
      void this.send(type);
    }
    while (waits.length < jobs) await sleep(LOOK_EVERY_MS);
    await stop();
    return waits;
  }

  /**
   * Publishes a request for each outcome that comes, whosever it is: as much is begun as is finished, also where a backlog
   * is worked off first.
   * @param lead so many requests go ahead; the clock runs from when as many outcomes have come
   * @throws when an outcome is not `completed`
   */
  async flow(type: string, jobs: number, lead: number): Promise<Timed> {
    await this.outcomes.purgeQueue(OUTCOME_QUEUE);
    const come: number[] = [];
    let others = 0;
    const stop = await this.consume((_, name) => {
      come.push(performance.now());
      if (name !== 'completed') others += 1;
      if (come.length <= jobs) void this.send(type);
    });
    for (let sent = 0; sent < lead; sent += 1) void this.send(type);
    while (come.length < lead + jobs) await sleep(LOOK_EVERY_MS);
    await stop();
    this.sent.clear();
    if (others > 0) throw new Error(`${others} outcomes are not "completed"`);
    const [begun = Number.NaN, ended = Number.NaN] = [come[lead - 1], come[lead + jobs - 1]];
    return { jobs, seconds: (ended - begun) / 1_000 };
  }

  private take(id: string, waits: number[]): void {
    const at = this.sent.get(id);
    if (at === undefined) return;
    this.sent.delete(id);
    waits.push(performance.now() - at);
  }

  /** Resolves when the broker has confirmed it. */
  private send(type: string): Promise<void> {
    this.count += 1;
    const { id, body, properties } = makeRequest(type, this.count);
    const routingKey = `${findJobType(type)?.queue ?? 'money'}.${type}`;
    this.sent.set(id, performance.now());
    return new Promise((resolve, reject) => {
      this.requests.publish(EXCHANGES.requests, routingKey, body, properties, (error: unknown) => {
        if (error) reject(error instanceof Error ? error : new Error('a request was not confirmed'));
        else resolve();
      });
    });
  }

  private async arrived(): Promise<number> {
    return (await this.outcomes.checkQueue(OUTCOME_QUEUE)).messageCount;
  }

  /** @returns what ends it */
  private async consume(take: (requestId: string, outcome: string) => void): Promise<() => Promise<void>> {
    const { consumerTag } = await this.outcomes.consume(
      OUTCOME_QUEUE,
      (message) => {
        if (!message) throw new Error('the queue of outcomes was deleted');
        const { data } = outcome.parse(JSON.parse(message.content.toString()));
        take(data.requestId, data.outcome);
      },
      { noAck: true },
    );
    return async () => {
      await this.outcomes.cancel(consumerTag);
    };
  }
}
