import { Option } from "commander";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { CaptureFileError, type CaptureFile, createCapture, readCapture } from "../capture/files.js";
import { LineCapture } from "../capture/line-capture.js";
import type { CaptureRecord, Sender } from "../capture/record.js";
import { monotonicMs } from "../runtime/clock.js";
import { UsageError } from "./output.js";

export function captureOption(): Option {
  return new Option(
    "--capture <file>",
    "record every frame of the line to this file, pcapng (docs/capture.md)",
  );
}

/** UTC of a moment of the monotonic clock, ms. */
export function utcOf(atMs: number): number {
  return Date.now() - (monotonicMs() - atMs);
}

/** Begins capture files; what cannot be written is wrong usage. */
export function openCapture(pcapng: string | undefined, vcd?: string): CaptureFile {
  try {
    return createCapture(pcapng, vcd);
  } catch (error) {
    throw error instanceof CaptureFileError ? new UsageError(error.message) : error;
  }
}

/** Reads a capture file; what is none is wrong usage. */
export function loadCapture(path: string): readonly CaptureRecord[] {
  try {
    return readCapture(path);
  } catch (error) {
    throw error instanceof CaptureFileError ? new UsageError(error.message) : error;
  }
}

/** What a command with `--capture` puts between itself and its line; without the option it does nothing. */
export interface LineTapped {
  wrap(line: ByteLine): ByteLine;
  onEvent(event: ByteLineEvent): void;
  close(): void;
}

export function tapLine(path: string | undefined, self: Sender, other: Sender): LineTapped {
  if (path === undefined) return { wrap: (line) => line, onEvent: () => undefined, close: () => undefined };
  const file = openCapture(path);
  const capture = new LineCapture({ sink: file, toUtc: utcOf, self, other });
  const timer = setInterval(() => capture.poll(monotonicMs()), 50);
  return {
    wrap: (line) => capture.wrap(line),
    onEvent: (event) => capture.onEvent(event),
    close() {
      clearInterval(timer);
      capture.poll(Infinity);
      file.close();
    },
  };
}
