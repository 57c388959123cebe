/** The processes that the bench starts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Program } from '../../load/stage/program';
import { service } from '../../load/stage/contestants';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'queue-service-program-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(code: string): Program {
  const file = path.join(folder, `${randomBytes(4).toString('hex')}.cjs`);
  writeFileSync(file, code);
  return new Program({ name: 'a program', file, cwd: folder, variables: {}, logFile: path.join(folder, 'log') });
}

const DIES = `console.error('cannot go on'); process.exit(3);`;
const nothing = () => Promise.resolve();
const PLACE = {
  name: 'nowhere',
  variables: {
    DATABASE_URL: '',
    AMQP_URL: '',
    REDIS_MONEY_URL: '',
    REDIS_COMMUNICATION_URL: '',
    REDIS_BACKGROUND_URL: '',
    REDIS_LIMITER_URL: '',
    RABBITMQ_MANAGEMENT_URL: '',
    QUEUE_PREFIX: '',
  },
  remove: nothing,
};

it('says what a program wrote last when it dies instead of answering, and nothing of what another wrote', async () => {
  const first = start(`console.error('an earlier one'); process.exit(1);`);
  await expect(first.death()).rejects.toThrow('an earlier one');
  const asked = start(DIES).ask({ ask: 'ready' }, z.null(), 30_000);
  await expect(asked).rejects.toThrow(/a program ended \(exit code 3\), see .*log:\ncannot go on$/);
});

it('does not wait for a service to be ready that has died', async () => {
  const program = start(DIES);
  const { ready } = await service('this', { folder, template: '', remove: nothing }).program(PLACE, '');
  await expect(ready(program)).rejects.toThrow('cannot go on');
});
