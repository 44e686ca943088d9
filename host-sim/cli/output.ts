/** What a command prints: one JSON object a line with `--json`, else lines for a person. Errors go to stderr. */

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Prints `object` with --json, else `text`; an undefined text prints nothing for people. */
  emit(object: Readonly<Record<string, unknown>>, text: string | undefined): void {
    if (this.json) process.stdout.write(`${JSON.stringify(object)}\n`);
    else if (text !== undefined) process.stdout.write(`${text}\n`);
  }
}

/** Wrong use or wrong configuration: exit code 2. The message says what to do. */
export class UsageError extends Error {}

/** What `read` makes of what the user named; what it throws is the user's mistake. */
export function asNamed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Something failed that was used rightly: exit code 1. */
export class CommandError extends Error {}
