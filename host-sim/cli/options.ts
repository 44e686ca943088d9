import { readFileSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import type { NodeLineOptions } from "../line/node/open-line.js";
import type { Output } from "./output.js";
import { wipeProgress } from "./progress.js";

/** The package's version; package.json stands above dist/, and above host-sim/ when run from source. */
export function version(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as { version: string }).version;
    } catch {
      // one level further up
    }
  }
  return "unknown";
}

export function portOption(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new InvalidArgumentError("a port is a number from 0 to 65535.");
  return port;
}

/** A whole number of at least `min`. */
export function wholeNumber(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max)
      throw new InvalidArgumentError(
        `a whole number of at least ${min}${max < Infinity ? ` and at most ${max}` : ""} is needed.`,
      );
    return Number(text);
  };
}

/** Where state is kept: generated certificates, identity, store. */
export function dataDirOption(): Option {
  return new Option("--data <dir>", "folder for generated certificates, identity and store").default(
    "./.openucm",
  );
}

export const serialHelp =
  "pty (makes a pseudo-terminal and prints its path), a device path or COM port, tcp://HOST:PORT or tcp-listen://HOST:PORT";

/** What is said of the adapter on a line. */
export interface LineFlags {
  readonly echo?: boolean;
  readonly rtsDriverEnable?: boolean;
}

/** For commands that speak on a line. */
export function echoOption(): Option {
  return new Option("--echo", "the adapter gives back what it sends: take that out");
}

export function rtsOption(): Option {
  return new Option("--rts-driver-enable", "RTS switches the adapter's driver on while sending");
}

/** Says that a line has gone, is back, or is waited for: to people on stderr, with --json to programs too. */
export function tellOfLine(output: Output, line: string): (text: string, connected: boolean) => void {
  return (text, connected) => {
    wipeProgress();
    process.stderr.write(`line: ${text}\n`);
    output.emit({ event: "line", line, connected, text }, undefined);
  };
}

/** For `openLine`: the flags, and where to say that a line has gone or is back. */
export function lineOf(
  flags: LineFlags,
  output: Output,
  line: string,
): Pick<NodeLineOptions, "echo" | "rtsDriverEnable" | "onNotice"> {
  return {
    echo: flags.echo === true,
    rtsDriverEnable: flags.rtsDriverEnable === true,
    onNotice: tellOfLine(output, line),
  };
}
