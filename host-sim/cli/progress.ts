/**
 * What is under way, in the last line of stderr, where a person watches: on a terminal alone, never with --json, so that
 * stdout stays clean for whoever reads it. It is wiped by blanks: no colour and no escape code, whatever the terminal
 * understands and NO_COLOR says. A few lines; a package would bring five.
 */
class LastLine {
  readonly isShown: boolean;
  #width = 0;
  static #shown: LastLine | undefined;

  /** Before anything else is written to the terminal: it would stand behind the bar. */
  static wipe(): void {
    LastLine.#shown?.clear();
  }

  constructor(quiet: boolean) {
    this.isShown = process.stderr.isTTY && !quiet;
  }

  show(text: string): void {
    if (!this.isShown) return;
    // Never wider than the terminal: a wrapped line could not be taken back.
    const line = text.slice(0, (process.stderr.columns || 80) - 1);
    process.stderr.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
    LastLine.#shown = this;
  }

  clear(): void {
    if (this.#width > 0) process.stderr.write(`\r${" ".repeat(this.#width)}\r`);
    this.#width = 0;
    LastLine.#shown = undefined;
  }
}

export const wipeProgress = (): void => LastLine.wipe();

/** A progress bar for anything over two seconds. */
export class Progress {
  readonly #total: number;
  readonly #line: LastLine;
  #lastMs = 0;

  constructor(total: number, quiet = false) {
    this.#total = total;
    this.#line = new LastLine(quiet);
  }

  update(done: number, text: string): void {
    const now = Date.now();
    if (!this.#line.isShown || (now - this.#lastMs < 100 && done < this.#total)) return;
    this.#lastMs = now;
    const width = 24;
    const full = Math.round((Math.min(done, this.#total) / Math.max(1, this.#total)) * width);
    this.#line.show(`[${"=".repeat(full)}${" ".repeat(width - full)}] ${text}`);
  }

  end(): void {
    this.#line.clear();
    this.#lastMs = 0;
  }
}
