import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setDirectory } from './layout';
import { PORT_NAMES, type PortName, type ProcessName, SERVER_NAMES, type ServerName } from './types';

/** What a set remembers between commands. Read afresh each time: another process may have restarted a server. */
export interface SetState {
  ports: Partial<Record<PortName, number>>;
  pids: Partial<Record<ProcessName, number>>;
  /** Servers that have answered since their start; the next `up` need not ask them in depth again. */
  ready: ServerName[];
  /** Set only when PostgreSQL's data could not live in the checkout. */
  postgresDirectory?: string;
}

const PROCESS_NAMES: readonly ProcessName[] = [...SERVER_NAMES, 'epmd'];
const stateFile = (set: string): string => path.join(setDirectory(set), 'state.json');

export function readState(set: string): SetState {
  let text: string;
  try {
    text = readFileSync(stateFile(set), 'utf8');
  } catch {
    return { ports: {}, pids: {}, ready: [] };
  }
  return parseState(JSON.parse(text));
}

/** Synchronous, hence atomic within this process; between processes the set's lock is held. */
export function updateState(set: string, change: (state: SetState) => void): SetState {
  const state = readState(set);
  change(state);
  mkdirSync(setDirectory(set), { recursive: true });
  const file = stateFile(set);
  // Renamed into place, so that a reader without the lock (status) never sees half a file.
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return state;
}

function parseState(value: unknown): SetState {
  const fields = record(value);
  const ready = Array.isArray(fields['ready']) ? fields['ready'] : [];
  const directory = fields['postgresDirectory'];
  return {
    ports: numbers(fields['ports'], PORT_NAMES),
    pids: numbers(fields['pids'], PROCESS_NAMES),
    ready: SERVER_NAMES.filter((name) => ready.includes(name)),
    ...(typeof directory === 'string' && { postgresDirectory: directory }),
  };
}

function numbers<Name extends string>(value: unknown, names: readonly Name[]): Partial<Record<Name, number>> {
  const fields = record(value);
  const found: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const number = fields[name];
    if (typeof number === 'number') found[name] = number;
  }
  return found;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
