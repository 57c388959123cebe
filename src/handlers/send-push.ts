import { z } from 'zod';
import { sendPush, type PushPayload, type PushResult } from '../catalogue/send-push';
import type { PlainAnswer } from '../providers/answer';
import type { Device } from '../providers/device-registry';
import type { FcmAdapter } from '../providers/fcm/adapter';
import { DEVICE_GONE, type PushMessage, type SentPush } from '../providers/push-message';
import type { WebPushAdapter } from '../providers/web-push/adapter';
import { whileAvailable } from './available';
import { defineHandler, type CallLimits, type EffectResult, type HandlerContext, type UnkeyedEffect } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';

export interface Pusher {
  /** Absent where apps are not reached. */
  fcm: FcmAdapter | undefined;
  /** Absent where browsers are not reached by themselves. */
  webPush: WebPushAdapter | undefined;
  devices: {
    of: (userId: string) => Promise<Device[]>;
    drop: (device: Device) => Promise<void>;
  };
}

const sentPush = z.object({ messageId: z.string() });

/**
 * Sends to each device by itself, and each is an effect of its own: whoever tries again knows which of them have it, and asks
 * for the others alone. One device is enough for the job to be done; the others are tried as long as it has attempts.
 */
export function sendPushHandler(pusher: Pusher) {
  return defineHandler(sendPush, async (payload, context) => {
    const devices = await whileAvailable(pusher.devices.of(payload.userId));
    if (!devices) return DEVICES_UNAVAILABLE;
    const message = messageOf(payload, context.jobId);
    const tally = new Tally();
    for (const device of devices) {
      const send = sendTo(pusher, device);
      if (!send) continue;
      const sent = await context.effects.perform(sendEffect(device, (limits) => send(message, limits)));
      tally.count(sent);
      // One that stays is found to be gone by the next message.
      if (sent.kind === 'declined' && sent.code === DEVICE_GONE) await whileAvailable(pusher.devices.drop(device));
    }
    return tally.outcome(context);
  });
}

/** A second one takes the place of the first on a device that has it: it may be sent again, and is counted. */
function sendEffect(device: Device, call: UnkeyedEffect<SentPush>['call']): UnkeyedEffect<SentPush> {
  return {
    name: `device-${device.id}`,
    intent: { provider: 'token' in device ? 'fcm' : 'web-push' },
    value: sentPush,
    policy: 'atLeastOnce',
    call,
  };
}

type Send = (message: PushMessage, limits: CallLimits) => Promise<PlainAnswer<SentPush>>;

/** Undefined where this deployment cannot reach such a device. */
function sendTo({ fcm, webPush }: Pusher, device: Device): Send | undefined {
  if ('token' in device) return fcm && ((message, limits) => fcm.send(device.token, message, limits));
  return webPush && ((message, limits) => webPush.send(device.subscription, message, limits));
}

function messageOf({ title, body, data = {} }: PushPayload, jobId: string): PushMessage {
  const texts = Object.entries(data).map(([name, value]): [string, string] => [name, String(value)]);
  return { title, body, data: Object.fromEntries(texts), tag: jobId };
}

/** How it went with the devices of a job. */
class Tally {
  private delivered = 0;
  private dropped = 0;
  private readonly refused: { code: string; message: string }[] = [];
  private readonly open: HandlerOutcome<never>[] = [];

  count(sent: EffectResult<SentPush>): void {
    if (sent.kind === 'done') this.delivered += 1;
    else if (sent.kind === 'ended') this.open.push(sent.outcome);
    else if (sent.code === DEVICE_GONE) this.dropped += 1;
    else this.refused.push(sent);
  }

  outcome({ isLastAttempt }: HandlerContext): HandlerOutcome<PushResult> {
    // What spends an attempt comes first: whatever only waits would otherwise keep it from ever being over.
    const open = this.open.find(({ kind }) => kind !== 'snooze') ?? this.open[0];
    if (open && !(isLastAttempt && open.kind === 'retry' && this.delivered > 0)) return open;
    const { delivered, dropped, refused } = this;
    if (delivered === 0) return refused[0] ? failed(refused[0].code, refused[0].message, NOT_AGAIN) : NO_DEVICE;
    return done({ delivered, dropped, failed: refused.length + this.open.length, sentAt: new Date().toISOString() });
  }
}

const NOT_AGAIN = { replayable: false };
const NO_DEVICE = failed('NO_DEVICE', 'the user has no device that could be reached', NOT_AGAIN);
const DEVICES_UNAVAILABLE = {
  kind: 'retry',
  code: 'DEVICES_UNAVAILABLE',
  message: "the user's devices were not read; nothing was sent",
} as const;
