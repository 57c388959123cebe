import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { searchPath } from './binaries';
import { ensurePortMapper } from './epmd';
import { logFile, serverDirectory } from './layout';
import { portsOf } from './ports';
import { accepts } from './probes';
import { spawnDaemon } from './processes';
import type { ServerDefinition } from './server';
import type { Ports } from './types';
import { withLimit } from './wait';

const ANSWER_LIMIT_MS = 5_000;

export const amqpUrl = (port: number): string => `amqp://guest:guest@127.0.0.1:${port}`;
export const managementUrl = (port: number): string => `http://guest:guest@127.0.0.1:${port}`;

export const rabbitmq: ServerDefinition = {
  name: 'rabbitmq',
  ports: ['amqp', 'management', 'distribution'],
  stopSignal: 'SIGTERM',
  // 7 s on an idle machine, twice that at its first start; the rest is for machines with other work.
  startLimitMs: 120_000,
  marks: (set) => [serverDirectory(set, 'rabbitmq')],
  launch: async (set, binaries) => {
    const directory = serverDirectory(set, 'rabbitmq');
    const ports = portsOf(set);
    const env = nodeEnvironment(directory, ports);
    writeConfiguration(directory, ports);
    await ensurePortMapper(set, binaries.epmd, directory, env);
    return spawnDaemon(path.join(binaries.rabbitmqFolder, 'rabbitmq-server'), [], {
      cwd: directory,
      env,
      logFile: logFile(set, 'rabbitmq'),
    });
  },
  answers: async (set) => {
    const ports = portsOf(set);
    // The plugin is the last to come up.
    return (
      (await accepts(ports.amqp)) && (await managementAnswers(ports.management)) && (await amqpAnswers(ports.amqp))
    );
  },
};

/** Nothing of the machine's own RabbitMQ may leak in: its configuration folder, its node name, its ports, its cookie. */
function nodeEnvironment(directory: string, ports: Ports): NodeJS.ProcessEnv {
  const inside = (name: string): string => path.join(directory, name);
  return {
    PATH: searchPath(),
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    // Erlang keeps its cookie there.
    HOME: inside('home'),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'queue-service@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: inside('mnesia'),
    RABBITMQ_LOG_BASE: inside('log'),
    RABBITMQ_PID_FILE: inside('pid'),
    RABBITMQ_GENERATED_CONFIG_DIR: inside('generated'),
    RABBITMQ_CONF_ENV_FILE: inside('env.conf'),
    RABBITMQ_CONFIG_FILE: inside('rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: inside('conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: inside('advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inside('enabled_plugins'),
    // The distribution port listens on all addresses unless told; the rest keeps idle schedulers from spinning.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
    // Makes the script become the Erlang machine instead of its parent, so that the pid we know is the node's.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

function writeConfiguration(directory: string, ports: Ports): void {
  for (const folder of ['home', 'mnesia', 'log', 'generated', 'conf.d']) {
    mkdirSync(path.join(directory, folder), { recursive: true });
  }
  const files = {
    'env.conf': '',
    'advanced.config': '[].\n',
    enabled_plugins: '[rabbitmq_management].\n',
    'rabbitmq.conf': [
      `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${ports.management}`,
      'disk_free_limit.absolute = 200MB',
      'vm_memory_high_watermark.relative = 0.3',
      '',
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
}

async function managementAnswers(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/api/overview`, {
      headers: { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function amqpAnswers(port: number): Promise<boolean> {
  // Loaded here: a command that finds everything running needs no client.
  const { connect } = await import('amqplib');
  try {
    const connection = await connect(amqpUrl(port), { timeout: ANSWER_LIMIT_MS });
    // A connection that breaks while it is closed reports it here, and would end the process if nobody listened.
    connection.on('error', () => {});
    await withLimit('opening a channel', ANSWER_LIMIT_MS, connection.createChannel());
    await withLimit('closing a connection', ANSWER_LIMIT_MS, connection.close());
    return true;
  } catch {
    return false;
  }
}
