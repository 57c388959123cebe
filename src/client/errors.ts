import type { Problem } from '../platform/json-problems';

/** The call is wrong and stays wrong: nothing was sent. `problems` names everything that is wrong with it. */
export class InvalidCallError extends Error {
  override name = 'InvalidCallError';

  constructor(
    what: string,
    readonly problems: Problem[],
  ) {
    super([`${what} cannot be accepted:`, ...problems.map(({ path, message }) => `${path}: ${message}`)].join('\n  '));
  }
}

/** `full`: too many publications are pending. `disconnected`: the broker is away. `closed`: the client was closed. */
export type NotSentReason = 'full' | 'disconnected' | 'closed';

/** The message was certainly not sent. Slow down, or try again later, with the same id or another. */
export class NotSentError extends Error {
  override name = 'NotSentError';

  constructor(
    readonly reason: NotSentReason,
    message: string,
  ) {
    super(message);
  }
}

/** The broker may have the message or not: publish it again under this `id`, and it is done once in either case. */
export class UnconfirmedError extends Error {
  override name = 'UnconfirmedError';

  constructor(
    readonly id: string,
    options?: ErrorOptions,
  ) {
    super(`the broker did not confirm message ${id} in time; it may have arrived`, options);
  }
}

/** No queue takes the message, and the broker did not keep it: the service's topology is not there, or not this version's. */
export class UnroutableError extends Error {
  override name = 'UnroutableError';

  constructor(
    readonly id: string,
    routingKey: string,
  ) {
    super(`no queue takes message ${id} with the routing key ${routingKey}`);
  }
}

/** The broker, or what the client needs on it, was not there in time. The client goes on trying: wait longer, or give up. */
export class NotReadyError extends Error {
  override name = 'NotReadyError';
}
