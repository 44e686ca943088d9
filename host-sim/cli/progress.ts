/**
 * A progress bar on stderr for anything over two seconds, where a person watches: on a terminal alone, never with
 * --json, so that stdout stays clean for whoever reads it. Twenty lines; a package would bring five.
 */
export class Progress {
  readonly #total: number;
  readonly #shown: boolean;
  #lastMs = 0;

  constructor(total: number, quiet = false) {
    this.#total = total;
    this.#shown = process.stderr.isTTY && !quiet;
  }

  update(done: number, text: string): void {
    const now = Date.now();
    if (!this.#shown || (now - this.#lastMs < 100 && done < this.#total)) return;
    this.#lastMs = now;
    const width = 24;
    const full = Math.round((Math.min(done, this.#total) / Math.max(1, this.#total)) * width);
    process.stderr.write(`\r[${"=".repeat(full)}${" ".repeat(width - full)}] ${text}\x1b[K`);
  }

  end(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
  }
}
