import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../..');

const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.literal('.'), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).optional(),
  healthcheck: z
    .union([
      z.strictObject({ disable: z.literal(true) }),
      z.strictObject({
        test: z.array(z.string()).min(2),
        interval: z.string(),
        timeout: z.string(),
        retries: z.int(),
        start_period: z.string(),
      }),
    ])
    .optional(),
  hostname: z.string().optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  tmpfs: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  restart: z.enum(['no', 'unless-stopped']),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
  stop_grace_period: z.string().optional(),
});

const compose = z.strictObject({
  'x-service': z.unknown(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

export type ComposeService = z.infer<typeof service>;

/** docker-compose.yml, held to the words of the Compose specification that it uses; any other word is a mistake. */
export function readCompose(): z.infer<typeof compose> {
  return compose.parse(parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }));
}

export function readSandboxVariables(): Record<string, string> {
  return z.record(z.string(), z.string()).parse(parseEnv(readFileSync(path.join(ROOT, 'sandbox.env'), 'utf8')));
}

/**
 * Fills in `${NAME:-default}` and `${NAME:?message}` as Compose does.
 * @throws an error that names a variable which must be set and is not
 */
export function interpolate(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_whole, name: string, kind: string, rest: string) => {
    const value = variables[name];
    if (value) return value;
    if (kind === '?') throw new Error(`${name} ${rest}`);
    return rest;
  });
}
