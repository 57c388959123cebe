import { randomUUID } from 'node:crypto';
import { retryRuleOf } from '../../../src/catalogue/queues';
import { sendSms } from '../../../src/catalogue/send-sms';
import { webhookDeliver } from '../../../src/catalogue/webhook-deliver';
import { effectiveOptions } from '../../../src/intake/options';

const HOUR_MS = 60 * 60 * 1_000;

it('its default key names the subscription and the event', () => {
  const [subscriptionId, eventId] = [randomUUID(), randomUUID()];
  expect(webhookDeliver.check({ subscriptionId, eventId }, { time: new Date() })).toEqual({
    defaultKey: `callback-${subscriptionId}-${eventId}`,
  });
});

it('it is tried twelve times, over a day', () => {
  const { attempts, backoffMs } = retryRuleOf(webhookDeliver);
  const waits = Array.from({ length: attempts - 1 }, (_, index) => backoffMs(index + 1));
  const total = waits.reduce((sum, ms) => sum + ms, 0);
  expect(effectiveOptions(webhookDeliver, {}).attempts).toBe(12);
  expect(total).toBeGreaterThan(17 * HOUR_MS);
  expect(total).toBeLessThan(35 * HOUR_MS);
});

it('a request may ask for other attempts, and types without a rule have that of their queue', () => {
  expect(effectiveOptions(webhookDeliver, { attempts: 2 }).attempts).toBe(2);
  expect(effectiveOptions(sendSms, {}).attempts).toBe(3);
});
