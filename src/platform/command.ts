/** How a command speaks to whoever typed it, and ends. */

/** Of `sysexits.h`. */
export const EX_USAGE = 64;
export const EX_CONFIG = 78;

/** Answers with the exit code, as `complain` does. */
export function say(text: string, code: number): number {
  process.stdout.write(`${text.trimEnd()}\n`);
  return code;
}

export function complain(text: string, code: number): number {
  process.stderr.write(`${text.trimEnd()}\n`);
  return code;
}
