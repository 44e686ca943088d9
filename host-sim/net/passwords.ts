import { readFileSync } from "node:fs";
import { CommandError, whyNotJson } from "../cli/output.js";
import { writeWhole } from "../runtime/write-whole.js";
import type { WebSocketCredentials } from "./node-websocket.js";

/**
 * Passwords that a charging platform has set (AuthorizationKey), in a file of mode 0600. They count instead of those
 * of the configuration from the moment on at which a server has taken them. Nobody else knows the one in force: it is on
 * the disk, whole, before anything goes on.
 */
export class PasswordFile {
  readonly #path: string;
  readonly #passwords: Record<string, string>;

  constructor(path: string) {
    this.#path = path;
    this.#passwords = read(path);
  }

  /** Credentials with the passwords that are kept. */
  over(credentials: ReadonlyMap<string, WebSocketCredentials>): Map<string, WebSocketCredentials> {
    const merged = new Map(credentials);
    for (const [name, password] of Object.entries(this.#passwords)) {
      merged.set(name, { ...merged.get(name), password });
    }
    return merged;
  }

  /** From now on the configuration's counts again. */
  forget(name: string): void {
    if (!Object.hasOwn(this.#passwords, name)) return;
    delete this.#passwords[name];
    this.#write();
  }

  keep(name: string, password: string): void {
    this.#passwords[name] = password;
    this.#write();
  }

  #write(): void {
    writeWhole(this.#path, JSON.stringify(this.#passwords), 0o600);
  }
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new CommandError(
      `${path} cannot be read: ${error instanceof SyntaxError ? `not JSON: ${whyNotJson(error)}` : (error as Error).message}; remove it, and the configuration's passwords count`,
    );
  }
}
