/** What a command prints: one JSON object a line with `--json`, else lines for a person. Errors go to stderr. */
import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { whyNot } from "../runtime/why-not.js";
import { wipeProgress } from "./progress.js";

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Prints `object` with --json, else `text`; an undefined text prints nothing for people. */
  emit(object: Readonly<Record<string, unknown>>, text: string | undefined): void {
    if (this.json) process.stdout.write(`${JSON.stringify(object)}\n`);
    else if (text !== undefined) {
      wipeProgress();
      process.stdout.write(`${text}\n`);
    }
  }
}

/** Wrong use or wrong configuration: exit code 2. The message says what to do. */
export class UsageError extends Error {}

/**
 * Makes sure that a file can be written before anything else is done: what took minutes must not be lost at its end.
 * A file that is there stays as it is.
 */
export function checkWritable(option: string, path: string): void {
  try {
    const isNew = !existsSync(path);
    closeSync(openSync(path, "a"));
    if (isNew) rmSync(path);
  } catch (error) {
    throw new UsageError(`${option}: cannot write ${path} (${whyNot(error)})`);
  }
}

/** What `read` makes of what the user named; what it throws is the user's mistake. */
export function asNamed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Why `JSON.parse` refused, without what the engine shows of the text: the wrong file may be one with a secret. */
export function whyNotJson(error: unknown): string {
  const text = (error as Error).message.replace(/,? ?(\.\.\.)?"[\s\S]*is not valid JSON$/, "");
  return text === "" ? "no value" : text;
}

/** Something failed that was used rightly: exit code 1. */
export class CommandError extends Error {}
