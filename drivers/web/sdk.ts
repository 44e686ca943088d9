/** The Moddable SDK's ECMA-419 listener and TCP connections as {@link WebSdk}. **Never run on hardware.** */
import Listener from "embedded:io/socket/listener";
import TCP from "embedded:io/socket/tcp";
import type { ConnectionEvents, WebConnection, WebSdk } from "./server.js";

/** One connection. Nothing may be thrown into the SDK's callbacks: it would end the machine. */
class Accepted implements WebConnection {
  private tcp: TCP | undefined;
  private events: ConnectionEvents | undefined;

  constructor(from: TCP, accept: (connection: WebConnection) => ConnectionEvents | undefined) {
    // Until it is taken over, the one that was accepted knows who it is.
    this.tcp = from;
    this.address = String(from.remoteAddress);
    const events = accept(this);
    if (events === undefined) return;
    this.events = events;
    try {
      this.tcp = new TCP({
        from,
        format: "buffer",
        onReadable: () => this.readable(),
        onWritable: (count) => this.events?.writable(count),
        onError: () => this.events?.ended(),
      });
    } catch {
      events.ended();
    }
  }

  readonly address: string;

  /** Takes what there is: what is left unread would reset the connection as it is closed. */
  private readable(): void {
    try {
      const bytes = this.tcp?.read();
      if (bytes instanceof ArrayBuffer) this.events?.data(new Uint8Array(bytes));
    } catch {
      this.events?.ended();
    }
  }

  write(bytes: Uint8Array): void {
    this.tcp?.write(bytes);
  }

  close(): void {
    const { tcp } = this;
    this.tcp = undefined;
    this.events = undefined;
    tcp?.close();
  }
}

export function webSdk(): WebSdk {
  // What nobody holds is collected.
  const held: Listener[] = [];
  return {
    listen: (port, accept) => {
      const listener = new Listener({
        port,
        onReadable: (count) => {
          for (let left = count; left > 0; left--) {
            try {
              const from = listener.read();
              if (from === undefined) return;
              new Accepted(from, accept);
            } catch {
              // That one came to nothing; the next.
            }
          }
        },
      });
      held.push(listener);
    },
  };
}
