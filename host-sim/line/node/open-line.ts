/**
 * Lines of this computer behind one interface: pseudo-terminal, serial port, TCP. This folder guarantees: a
 * line that breaks is told as a `carrier` event and opened again with back-off, never an exception; `sent` is
 * told when the last bit has left by arithmetic, because operating systems tell only when they took the bytes;
 * times are those of the monotonic clock given, whole milliseconds.
 */
import type { ByteLineEvent } from "../../../src/ports/line.js";
import { monotonicMs } from "../../runtime/clock.js";
import { LineEvents, LineSpecError, type FullOptions, type NodeLine } from "./base.js";
import { openPty } from "./pty-line.js";
import { openSerial } from "./serial-line.js";
import { connectTcp, listenTcp } from "./tcp-line.js";

export { LineError, LineSpecError, type NodeLine } from "./base.js";

export interface NodeLineOptions extends Pick<FullOptions, "echo" | "rtsDriverEnable" | "onNotice"> {
  /** Told everything; first in a turn of the event loop after the one in which `openLine` hands over the line. */
  readonly onEvent: (event: ByteLineEvent) => void;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
  /** Bit rate at start; 19,200 if not given. */
  readonly bitsPerSecond?: number;
}

/**
 * Opens what `--serial` names: `pty`, `tcp://HOST:PORT`, `tcp-listen://HOST:PORT` (port 0 = any), otherwise a
 * serial device by its path or COM name. Throws {@link LineError} where it cannot be opened at first; what
 * happens later is told by events.
 */
export async function openLine(spec: string, options: NodeLineOptions): Promise<NodeLine> {
  if (options.rtsDriverEnable === true && (spec === "pty" || /^tcp(-listen)?:/.test(spec)))
    throw new LineSpecError(`"${spec}" has no RTS: leave out --rts-driver-enable`);
  const events = new LineEvents({ bitsPerSecond: 19_200, now: monotonicMs, ...options });
  const line = await openBy(spec, events);
  events.start();
  return line;
}

function openBy(spec: string, events: LineEvents): Promise<NodeLine> {
  if (spec === "pty") return openPty(events);
  if (spec.startsWith("tcp://")) return connectTcp(spec, events);
  if (spec.startsWith("tcp-listen://")) return listenTcp(spec, events);
  if (/^[a-z][a-z0-9+-]+:\/\//i.test(spec)) {
    throw new LineSpecError(
      `"${spec}" is no line: use pty, a device path, tcp://HOST:PORT or tcp-listen://HOST:PORT`,
    );
  }
  return openSerial(spec, events);
}
