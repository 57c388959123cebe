const TTY_EVERY_MS = 200;
const PLAIN_EVERY_MS = 1_000;

/** One line that is kept up to date on a terminal, and a plain line every second elsewhere. */
export class Progress {
  private timer: NodeJS.Timeout | undefined;
  private shown = '';

  constructor(
    private readonly line: () => string,
    private readonly stream: NodeJS.WriteStream = process.stdout,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => this.show(), this.stream.isTTY ? TTY_EVERY_MS : PLAIN_EVERY_MS);
  }

  /** Something worth a line of its own. */
  note(text: string): void {
    if (this.stream.isTTY && this.timer) this.stream.write('\r\u001b[K');
    this.stream.write(`${text}\n`);
    if (this.timer && this.stream.isTTY) this.show();
  }

  /** Leaves the last state standing. */
  stop(): void {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.show();
    if (this.stream.isTTY) this.stream.write('\n');
  }

  private show(): void {
    const line = this.line();
    if (this.stream.isTTY) this.stream.write(`\r\u001b[K${line.slice(0, this.stream.columns - 1)}`);
    else if (line !== this.shown) this.stream.write(`${line}\n`);
    this.shown = line;
  }
}
