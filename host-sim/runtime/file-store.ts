import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * What the module keeps over a restart, on this computer: one JSON file, written whole beside the old one and
 * then renamed, so that a cut at any moment leaves the old or the new. Mode 0600: it may hold registrations.
 */
export class FileStore {
  readonly #path: string;
  readonly #values: Record<string, string>;
  #pending: NodeJS.Immediate | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#values = read(path);
  }

  all(): Readonly<Record<string, string>> {
    return this.#values;
  }

  set(key: string, value: string): void {
    this.#values[key] = value;
    this.#later();
  }

  delete(key: string): void {
    delete this.#values[key];
    this.#later();
  }

  /** Writes that come together are one file write. */
  #later(): void {
    this.#pending ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (!this.#pending) return;
    clearImmediate(this.#pending);
    this.#pending = undefined;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const aside = `${this.#path}.new`;
    writeFileSync(aside, JSON.stringify(this.#values), { mode: 0o600 });
    renameSync(aside, this.#path);
  }
}

function read(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, string>;
  } catch {
    // fall through: say so below
  }
  // Nothing is lost silently: the damaged file stays for a person to look at.
  renameSync(path, `${path}.damaged`);
  return {};
}
