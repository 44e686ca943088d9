import { existsSync } from "node:fs";
import { SerialPort } from "serialport";
import { LineError, type LineEvents, type NodeLine } from "./base.js";

/** How often it is looked whether the device is still there: a read alone can miss that it went. */
const WATCH_MS = 1000;
/** Writes that wait for a change of the bit rate; more are lost, as on a wire. */
const MOST_WAITING = 16;

/** The part of the serial library that opens a port; tests bring another. */
export type SerialPorts = new (options: { path: string; baudRate: number; autoOpen: false }) => SerialPort;

/** What the library says of a port that it cannot open, and what to do. */
function whyNot(message: string, path: string): string {
  const why = message.replace(/^Error: /, "").replace(`, cannot open ${path}`, "");
  const next = /permission|access/i.test(why)
    ? "your user must be in the group that owns it, often dialout"
    : /no such|not found|enoent/i.test(why)
      ? "is the adapter in? its name is in /dev/serial/by-id, or with the ports of the Device Manager"
      : /busy|lock/i.test(why)
        ? "another program has it: end that first"
        : undefined;
  return next === undefined ? why : `${why} (${next})`;
}

/** A serial port, 8N1, raw; opened again when an adapter was pulled and put in. */
export async function openSerial(
  path: string,
  events: LineEvents,
  Ports: SerialPorts = SerialPort,
): Promise<NodeLine> {
  let current: SerialPort | undefined;
  let isAgain = false;

  /** Switches the adapter's driver, where that is wanted. */
  const enableDriver = (port: SerialPort, on: boolean, done: (error: Error | null) => void): void => {
    if (events.rtsDriverEnable) port.set({ rts: on }, done);
    else done(null);
  };
  let sending = 0;
  /** Writes with the driver on; it goes off when the last bit of the last write has left. */
  const send = (port: SerialPort, bytes: Buffer): void => {
    if (!events.rtsDriverEnable) {
      port.write(bytes, () => undefined);
      return;
    }
    sending++;
    port.set({ rts: true }, () => undefined);
    port.write(bytes, () => {
      port.drain(() => {
        // A USB adapter tells that it has the bytes, not that they have left.
        setTimeout(() => {
          if (--sending === 0 && port.isOpen) port.set({ rts: false }, () => undefined);
        }, Math.ceil(events.leavesInMs));
      });
    });
  };

  const open = (): Promise<void> =>
    new Promise((done, failed) => {
      const port = new Ports({ path, baudRate: events.bitsPerSecond, autoOpen: false });
      port.on("data", (bytes: Buffer) => events.received(bytes));
      // `close` follows, or the open below fails.
      port.on("error", () => undefined);
      port.on("close", () => {
        events.carrier(false);
        if (current === port) current = undefined;
        // Another terminal may have the number of a pseudo-terminal by now: not ours to write to.
        if (path.startsWith("/dev/pts/")) {
          events.notice(
            `${path} has gone, and a pseudo-terminal does not come back: start again with the new one`,
          );
        } else {
          events.notice(`${path} has gone; it is opened again when it is back`);
          events.retry(reopen);
        }
      });
      port.open((error) => {
        if (error !== null) {
          failed(new LineError(`cannot open the serial line ${path}: ${whyNot(error.message, path)}`));
        } else if (events.isClosed) {
          port.close(() => done());
        } else {
          enableDriver(port, false, (fault) => {
            if (fault !== null) {
              port.close(() => undefined);
              failed(
                new LineError(
                  `${path} has no RTS that could be switched (${fault.message}): leave out --rts-driver-enable`,
                ),
              );
              return;
            }
            current = port;
            events.carrier(true);
            if (isAgain) events.notice(`${path} is back`);
            isAgain = true;
            done();
          });
        }
      });
    });
  const reopen = (): void => {
    open().catch(() => events.retry(reopen));
  };

  /** Writes held back while the bit rate changes; undefined while it does not. */
  let waiting: (() => void)[] | undefined;
  let changes = 0;
  const afterRateChange = (write: () => void): void => {
    if (waiting === undefined) write();
    else if (waiting.length < MOST_WAITING) waiting.push(write);
  };

  await open();
  const watch = setInterval(() => {
    if (process.platform !== "win32" && current?.isOpen === true && !existsSync(path))
      current.close(() => undefined);
  }, WATCH_MS);
  return {
    path: undefined,
    url: undefined,
    write(bytes) {
      const copy = Buffer.from(bytes);
      afterRateChange(() => {
        // A pulled adapter takes no bytes; the event of it is on its way.
        if (current?.isOpen === true) send(current, copy);
      });
      events.writing(bytes);
    },
    setBitRate(bitsPerSecond) {
      if (current?.isOpen !== true) return false;
      const port = current;
      waiting ??= [];
      changes++;
      // Not before what is being sent has left; and a change throws away what is written while it is made.
      port.drain(() => {
        const done = (): void => {
          if (--changes > 0) return;
          const writes = waiting ?? [];
          waiting = undefined;
          for (const write of writes) write();
        };
        if (port.isOpen) port.update({ baudRate: bitsPerSecond }, done);
        else done();
      });
      events.bitsPerSecond = bitsPerSecond;
      return true;
    },
    close() {
      events.close();
      clearInterval(watch);
      const port = current;
      current = undefined;
      if (port?.isOpen !== true) return Promise.resolve();
      return new Promise((done) => port.close(() => done()));
    },
  };
}
