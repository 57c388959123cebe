/** A notification as every push service shows it. */
export interface PushMessage {
  title: string;
  body: string;
  /** What the app is told beside it. */
  data: Record<string, string>;
  /** Another notification with the same tag takes the place of the first, on a device that has it already. */
  tag: string;
}

/** What a push service told of a message that it took. */
export interface SentPush {
  /** Empty where the service names none. */
  messageId: string;
}

export interface PushCall {
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /**
   * Keeps back a call that has not begun. One that is under way is read to its end or time-out: to cut it would save
   * nothing, and cost the knowledge whether the message was taken.
   */
  signal: AbortSignal;
}

/** The device takes no messages any more, and is to be forgotten. */
export const DEVICE_GONE = 'DEVICE_GONE';
