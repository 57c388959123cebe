import path from 'node:path';
import { connect } from 'amqplib';
import { waitFor } from '../services/wait';
import { Child } from '../stage/child';
import type { SeededRandom } from './sale/random';

/**
 * The service as three processes, as it would be deployed: one that takes requests in, publishes outcomes and leads, and
 * two that charge and mail. So a killed worker takes what is under way with it, and nothing else: requests still come in.
 */
const PROCESSES = [
  { name: 'front', roles: 'api,consumer,relay,scheduler' },
  { name: 'worker-1', roles: 'worker' },
  { name: 'worker-2', roles: 'worker' },
] as const;
const WORKERS = ['worker-1', 'worker-2'] as const;

/** A queue that has a consumer once the service takes requests. */
const INTAKE_QUEUES = ['queue-service.requests.money', 'queue-service.domain-events', 'queue-service.requests.other'];
const READY_LIMIT_MS = 30_000;

export class ServiceProcesses {
  private readonly children = new Map<string, Child>();

  constructor(
    private readonly folder: string,
    private readonly cwd: string,
    private readonly env: NodeJS.ProcessEnv,
    /** Where the process with the role `api` listens. */
    private readonly apiPort: number,
  ) {}

  startAll(): void {
    for (const { name } of PROCESSES) this.start(name);
  }

  get pids(): number[] {
    return [...this.children.values()].flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves when every intake queue has its consumer; rejects when a process has ended instead. */
  async ready(amqpUrl: string): Promise<void> {
    const connection = await connect(amqpUrl, { timeout: 10_000 });
    try {
      await waitFor('the service', READY_LIMIT_MS, async () => {
        this.checkRunning();
        // A queue that does not exist yet closes the channel on which it was asked for.
        const channel = await connection.createChannel();
        channel.on('error', () => undefined);
        try {
          const queues = await Promise.all(INTAKE_QUEUES.map((queue) => channel.checkQueue(queue)));
          await channel.close();
          return queues.every(({ consumerCount }) => consumerCount > 0);
        } catch {
          return false;
        }
      });
    } finally {
      await connection.close();
    }
  }

  /** `kill -9` on one of the workers, and a new one in its place, as an orchestrator would do it. */
  async killWorker(random: SeededRandom, restarted: Promise<void>): Promise<string> {
    const name = random.pick(WORKERS);
    await this.children.get(name)?.kill();
    await restarted;
    this.start(name);
    return name;
  }

  /** Orderly, all at once. Resolves with those that did not end well. */
  async stopAll(): Promise<string[]> {
    const ends = await Promise.all(
      [...this.children].map(async ([name, child]) => ({ name, end: await child.stop() })),
    );
    return ends.filter(({ end }) => end !== 'exit code 0').map(({ name, end }) => `${name}: ${end}`);
  }

  private start(name: (typeof PROCESSES)[number]['name']): void {
    const roles = PROCESSES.find((process) => process.name === name)?.roles;
    // The others take any free port.
    const port = name === 'front' ? this.apiPort : 0;
    this.children.set(
      name,
      Child.start({
        name,
        args: ['dist/main.js'],
        cwd: this.cwd,
        env: { ...this.env, ROLES: roles, PORT: String(port) },
        logFile: path.join(this.folder, `${name}.log`),
      }),
    );
  }

  private checkRunning(): void {
    for (const [name, child] of this.children) {
      if (!child.running) throw new Error(`${name} ended at its start, see ${child.options.logFile}`);
    }
  }
}
