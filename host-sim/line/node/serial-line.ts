import { existsSync } from "node:fs";
import { SerialPort } from "serialport";
import { LineError, type LineEvents, type NodeLine } from "./base.js";

/** How often it is looked whether the device is still there: a read alone can miss that it went. */
const WATCH_MS = 1000;

/** A serial port, 8N1, raw; opened again when an adapter was pulled and put in. */
export async function openSerial(path: string, events: LineEvents): Promise<NodeLine> {
  let current: SerialPort | undefined;

  const open = (): Promise<void> =>
    new Promise((done, failed) => {
      const port = new SerialPort({ path, baudRate: events.bitsPerSecond, autoOpen: false });
      port.on("data", (bytes: Buffer) => events.received(bytes));
      // `close` follows, or the open below fails.
      port.on("error", () => undefined);
      port.on("close", () => {
        events.carrier(false);
        if (current === port) current = undefined;
        // Another terminal may have the number of a pseudo-terminal by now: not ours to write to.
        if (!path.startsWith("/dev/pts/")) events.retry(reopen);
      });
      port.open((error) => {
        if (error !== null) {
          failed(new LineError(`cannot open the serial line ${path}: ${error.message}`));
        } else if (events.isClosed) {
          port.close(() => done());
        } else {
          current = port;
          events.carrier(true);
          done();
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
    else waiting.push(write);
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
        if (current?.isOpen === true) current.write(copy, () => undefined);
      });
      events.writing(bytes.length);
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
