import path from 'node:path';
import { z } from 'zod';
import { receiptEmail } from '../../support/emails';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { readCompose } from '../../support/compose';
import { commandOf, stageOf } from '../../support/dockerfile';
import { makeProductionTree, type ProductionTree } from '../../support/production-tree';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';
import { NodeProcess } from '../../support/service-process';

const ROOT = path.join(__dirname, '../../..');
const [, ...start] = commandOf(stageOf('service'), 'CMD');
const [, ...checkHealth] = commandOf(stageOf('service'), 'HEALTHCHECK');
const [, ...migrate] = readCompose().services['migrate']?.command ?? [];

let tree: ProductionTree;

beforeAll(async () => {
  tree = await makeProductionTree();
}, 180_000);
afterAll(() => tree?.remove());

async function run(options: string[], variables: Record<string, string>): Promise<NodeProcess> {
  const started = new NodeProcess(options, tree.folder, variables);
  await started.exited;
  return started;
}

/** The service as its image runs it, on the servers of a test. */
describe('what the image of the service holds', () => {
  let harness: Harness;
  let sendgrid: SendGridSandbox;
  let service: NodeProcess;
  let port: string;

  beforeAll(async () => {
    harness = await openHarness();
    sendgrid = await startSendGridSandbox();
    const variables = {
      ...harness.environment.variables,
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      PORT: '0',
      SENDGRID_API_KEY: API_KEY,
      SENDGRID_API_BASE: sendgrid.url,
      EMAIL_FROM: 'tickets@example.com',
    };
    service = new NodeProcess(start, tree.folder, variables);
    port = await eventually('the port of the service', () => /"port":(\d+)/.exec(service.output)?.[1]);
  });
  afterAll(async () => {
    await service?.end();
    await harness?.close();
    await sendgrid?.close();
  });

  it('lives by its own health check, and does its work', async () => {
    expect(await (await run(checkHealth, { PORT: port })).exited).toBe(0);
    for (const type of ['canary-money', 'canary-communication', 'canary-background']) {
      const id = await harness.bus.request({ type, data: { n: 7 } });
      expect((await harness.bus.outcomeOf(id, 'completed')).data.result).toEqual({ n: 7 });
    }
  });

  it('has at hand what it reads at run time: a payment and a mail go out', async () => {
    const paid = await harness.bus.request({ type: 'payment-process', data: payment() });
    const mailed = await harness.bus.request({ type: 'send-email', data: receiptEmail() });
    await harness.bus.outcomeOf(paid, 'completed');
    await harness.bus.outcomeOf(mailed, 'completed');
    expect([harness.stripe.ledger().length, sendgrid.ledger().length]).toEqual([1, 1]);
  });

  it('finds nothing to migrate in a database of this version', async () => {
    const migration = await run(migrate, harness.environment.variables);
    expect([await migration.exited, migration.output]).toEqual([0, 'nothing to migrate\n']);
  });

  it('ends by itself on SIGTERM, and its health check notices', async () => {
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(await (await run(checkHealth, { PORT: port })).exited).toBe(1);
  });
});

it('a container without variables says what it needs, and ends as one that is wrongly configured', async () => {
  const service = await run(start, {});
  expect(await service.exited).toBe(78);
  expect(service.output).toContain('DATABASE_URL: is missing');
});

it('the command of the sandbox brings up every stand-in that the container is to have', async () => {
  const [, ...command] = commandOf(stageOf('sandbox'), 'CMD');
  const onFreePorts = command.map((word) => (/^\d+$/.test(word) ? '0' : word));
  const sandbox = new NodeProcess(onFreePorts, ROOT, {});
  try {
    const lines = await eventually('five stand-ins listen', () => {
      // Packages that they load have words of their own.
      const whole = sandbox.output.split('\n').slice(0, -1);
      const told = whole.filter((line) => line.startsWith('{'));
      return told.length >= 5 && told;
    });
    const listening = lines.map((line) => z.object({ provider: z.string(), url: z.url() }).parse(JSON.parse(line)));
    expect(listening.map(({ provider }) => provider)).toEqual(['stripe', 'square', 'sendgrid', 'twilio', 'fcm']);
  } finally {
    sandbox.kill('SIGTERM');
  }
  expect(await sandbox.exited).toBe(0);
});
