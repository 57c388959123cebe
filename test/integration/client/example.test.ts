/** The example of docs/client.md: compiled here as it stands there, and run. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { startOrderService } from '../../support/client-example';
import { eventually, openHarness } from '../../support/harness';

const ROOT = path.join(__dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

it('stands in the documentation word for word', () => {
  const [, example] = /```ts\n(.*?)```/s.exec(read('docs/client.md')) ?? [];
  const compiled = read('test/support/client-example.ts');
  expect(example).toBe(compiled.replace("'../../src/client'", "'queue-service/client'"));
});

it('imports what the package offers under that name', () => {
  const { exports } = z
    .object({ exports: z.object({ './client': z.object({ types: z.string(), default: z.string() }) }) })
    .parse(JSON.parse(read('package.json')));
  for (const target of Object.values(exports['./client'])) {
    const source = target.replace('./dist/', 'src/').replace(/(\.d\.ts|\.js)$/, '.ts');
    expect(existsSync(path.join(ROOT, source))).toBe(true);
  }
});

it('charges an order once, and marks it as paid', async () => {
  const harness = await openHarness();
  const { pool, variables } = harness.environment;
  await pool.query('CREATE TABLE orders (id text PRIMARY KEY, state text NOT NULL, charge text, reason text)');
  const stateOf = async (id: string): Promise<unknown> =>
    (await pool.query('SELECT state, charge, reason FROM orders WHERE id = $1', [id])).rows[0];
  const ids = () => ({ userId: randomUUID(), venueId: randomUUID(), eventId: randomUUID() });
  await harness.startService();
  const service = await startOrderService(variables['AMQP_URL'] ?? '', variables['DATABASE_URL'] ?? '');
  try {
    await service.place({ id: 'order-1', ...ids(), amount: 12_000, card: 'pm_card_visa' });
    await service.place({ id: 'order-2', ...ids(), amount: 12_000, card: 'pm_card_chargeDeclined' });
    const settled = async (id: string) => !/placed/.test(JSON.stringify(await stateOf(id)));
    await eventually('both are settled', async () => (await settled('order-1')) && (await settled('order-2')));
    const [charge, ...others] = harness.stripe.ledger();
    expect(others).toEqual([]);
    expect(await stateOf('order-1')).toEqual({ state: 'paid', charge: charge?.chargeId, reason: null });
    expect(await stateOf('order-2')).toMatchObject({ state: 'refused', charge: null, reason: 'generic_decline' });
  } finally {
    await service.stop();
    await harness.close();
  }
});
