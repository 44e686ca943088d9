/**
 * The other process: an appliance at the legal minimum delays on a pseudo-terminal, with nothing of src in it but the
 * constants below, and with its own clock. A pseudo-terminal has no air time, so it is added here, as a wire would:
 * bytes that are read at once have begun then and end after their time; bytes that are written are written whole
 * when their last bit would have left. Prints the path, then one JSON object with what it has measured.
 */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import type { ReadStream } from "node:tty";
import { SerialPort } from "serialport";

interface OpenedPty {
  readonly master: ReadStream;
  readonly slave: ReadStream;
  readonly ptsName: string;
  readonly _fd: number;
}

/** Shortest legal delays (cta2045.md 2.4): link ACK, application reply after it, gap before the next message. */
const ackMinMs = 40;
const replyMinMs = 100;
const gapMinMs = 100;
const byteMs = 10_000 / 19_200;

const ack = Buffer.from([0x06, 0x00]);
/** State: Running Normal. */
const state = Buffer.from("080100021301D362", "hex");
const frameBytes = 8;

/** A command with its reply, back to back, as short as it may be: both frames, both ACKs, all four delays. */
export const legalCycleMs = 2 * (frameBytes + 2) * byteMs + 2 * ackMinMs + replyMinMs + gapMinMs;

const cycles = Number(process.argv[2] ?? 100);

const startNs = process.hrtime.bigint();
const nowMs = (): number => Number(process.hrtime.bigint() - startNs) / 1e6;

/** At a moment of the clock, to well under a millisecond: timers alone are a millisecond late. */
function at(ms: number, run: () => void): void {
  const leftMs = ms - nowMs();
  if (leftMs > 2) setTimeout(() => at(ms, run), Math.floor(leftMs - 1));
  else {
    while (nowMs() < ms);
    run();
  }
}

const nodePty = createRequire(import.meta.url)("@lydell/node-pty") as {
  open(o: { encoding: null }): OpenedPty;
};
const pty = nodePty.open({ encoding: null });
pty.master.removeAllListeners("error").on("error", () => undefined);
pty.slave.removeAllListeners("error").on("error", () => undefined);
pty.slave.pause();
// Raw mode, and the line lives on whoever opens and closes it.
await SerialPort.binding.open({ path: pty.ptsName, baudRate: 19_200, lock: false, hupcl: false });
pty.slave.destroy();

const ackMs: number[] = [];
const cycleMs: number[] = [];
let frames = 0;
let strange = 0;
let commandMs = 0;
let replyEndMs = 0;
let pending = Buffer.alloc(0);

function onFrame(readMs: number): void {
  frames++;
  if (commandMs > 0) cycleMs.push(readMs - commandMs);
  commandMs = readMs;
  if (cycleMs.length >= cycles) return finish();
  const endMs = readMs + frameBytes * byteMs;
  const ackEndMs = endMs + ackMinMs + ack.length * byteMs;
  at(ackEndMs, () => {
    writeSync(pty._fd, ack);
    replyEndMs = Number.POSITIVE_INFINITY;
    at(ackEndMs + replyMinMs + state.length * byteMs, () => {
      // Before the write: who is held up behind it would see our ACK too early.
      replyEndMs = nowMs();
      writeSync(pty._fd, state);
    });
  });
}

function finish(): void {
  process.stdout.write(`${JSON.stringify({ ackMs, cycleMs, frames, strange, legalCycleMs })}\n`, () =>
    process.exit(0),
  );
}

pty.master.on("data", (bytes: Buffer) => {
  const readMs = nowMs();
  pending = Buffer.concat([pending, bytes]);
  while (pending.length > 0) {
    if (pending[0] === 0x06 || pending[0] === 0x15) {
      if (pending.length < 2) return;
      if (pending[0] === 0x06) ackMs.push(readMs - replyEndMs);
      else strange++;
      pending = pending.subarray(2);
    } else {
      if (pending.length < frameBytes) return;
      pending = pending.subarray(frameBytes);
      onFrame(readMs);
    }
  }
});

process.stdout.write(`${JSON.stringify({ path: pty.ptsName })}\n`);
