import { createLogger as createWinston, format, transports } from 'winston';

/**
 * Structured logging with bounded, known fields. Payloads, keys and provider messages are never passed here: an id leads
 * to them. `error` fields are reduced to name, code and message of our own or of a driver.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with these fields on every line. */
  child(fields: LogFields): Logger;
}

export interface LogFields {
  [name: string]: string | number | boolean | null | undefined | string[];
  error?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on stdout. */
export function createLogger(options: { level: LogLevel; service: string }): Logger {
  return createWinston({
    level: options.level === 'silent' ? 'error' : options.level,
    silent: options.level === 'silent',
    defaultMeta: { service: options.service, pid: process.pid },
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console()],
  });
}

/** An error as one log field: its name and code, and its message cut short. Drivers put values into details, not here. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'non-error thrown';
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `${error.name}${code}: ${error.message.slice(0, 300)}`;
}
