import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import type { ReadStream } from "node:tty";
import { SerialPort } from "serialport";
import { LineError, type LineEvents, type NodeLine } from "./base.js";

/** What `open()` of node-pty gives and its types leave out: a pair of streams and the path of the slave. */
interface OpenedPty {
  readonly master: ReadStream;
  readonly slave: ReadStream;
  readonly ptsName: string;
  readonly _fd: number;
}

/** Bytes that nobody reads are dropped after so long, as on a wire; only while nobody speaks to us either. */
const STALE_MS = 500;
const QUIET_MS = 1000;

/**
 * A raw pseudo-terminal; another program opens `path`. We keep a handle on that end ourselves, in raw mode:
 * so nothing is echoed or translated before the other side has set it up, and the line lives on when the
 * other side closes and opens again. It has no carrier: like on a bare wire, nobody knows who listens.
 */
export async function openPty(events: LineEvents): Promise<NodeLine> {
  if (process.platform === "win32") {
    throw new LineError(
      "Windows has no pseudo-terminals for serial programs: use a COM port or tcp://HOST:PORT",
    );
  }
  const pty = open();
  // Its own handlers throw where nobody listens.
  pty.master.removeAllListeners("error").on("error", () => undefined);
  pty.slave.removeAllListeners("error").on("error", () => undefined);
  // It reads its own other end otherwise, and steals what is meant for the other program.
  pty.slave.pause();
  const keeper = await SerialPort.binding.open({
    path: pty.ptsName,
    baudRate: 19_200,
    lock: false,
    hupcl: false,
  });
  pty.slave.destroy();
  let readMs = Number.NEGATIVE_INFINITY;
  let stale: NodeJS.Timeout | undefined;
  pty.master.on("data", (bytes: Buffer) => {
    readMs = events.now();
    events.received(bytes);
  });
  const dropUnread = (): void => {
    if (!events.isClosed && events.now() - readMs >= QUIET_MS) keeper.flush().catch(() => undefined);
  };
  return {
    path: pty.ptsName,
    url: undefined,
    write(bytes) {
      if (events.isClosed) return;
      try {
        writeSync(pty._fd, bytes);
      } catch {
        // The buffer is full because nobody reads: a wire loses the bytes then, and so do we.
      }
      events.writing(bytes);
      clearTimeout(stale);
      stale = setTimeout(dropUnread, STALE_MS);
      stale.unref();
    },
    setBitRate(bitsPerSecond) {
      // A pseudo-terminal has no rate of its own; `sent` is told by the new one.
      events.bitsPerSecond = bitsPerSecond;
      return true;
    },
    async close() {
      events.close();
      clearTimeout(stale);
      pty.master.destroy();
      await keeper.close().catch(() => undefined);
    },
  };
}

function open(): OpenedPty {
  const nodePty = createRequire(import.meta.url)("@lydell/node-pty") as {
    open(options: { encoding: null }): OpenedPty;
  };
  try {
    return nodePty.open({ encoding: null });
  } catch (error) {
    throw new LineError(`this computer gives no pseudo-terminal: ${(error as Error).message}`);
  }
}
