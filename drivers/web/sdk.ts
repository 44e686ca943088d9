/** The chip's listener and TCP connections (ucm-web.c) as {@link WebSdk}. **Never run on hardware.** */
import * as native from "ucm/web";
import type { ConnectionEvents, WebConnection, WebSdk } from "./server.js";

/** Connections that are accepted in one turn. */
const ACCEPTS = 2;
/** What is offered to be written in one turn. */
const WRITE_BYTES = 2048;

class Accepted implements WebConnection {
  readonly address: string;
  events: ConnectionEvents | undefined;
  private isOpen = true;

  constructor(private readonly at: number) {
    this.address = native.address(at);
  }

  write(bytes: Uint8Array): number {
    const taken = this.isOpen ? native.write(this.at, bytes) : -1;
    if (taken < 0) throw new Error("it broke");
    return taken;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events = undefined;
    native.close(this.at);
  }

  /** Tells what has come, and that there may be room. True: there was something. */
  turn(): boolean {
    const bytes = this.isOpen ? native.read(this.at) : null;
    if (bytes === null) this.events?.ended();
    else if (bytes !== undefined) this.events?.data(new Uint8Array(bytes));
    this.events?.writable(WRITE_BYTES);
    return bytes !== undefined;
  }
}

export function webSdk(): WebSdk {
  let live: Accepted[] = [];
  let take: Parameters<WebSdk["listen"]>[1] = () => undefined;
  return {
    listen(port, accept) {
      const used = native.listen(port);
      take = accept;
      return used;
    },
    poll() {
      let busy = false;
      for (let count = 0; count < ACCEPTS; count++) {
        const at = native.accept();
        if (at < 0) break;
        busy = true;
        const one = new Accepted(at);
        one.events = take(one);
        live.push(one);
      }
      for (const one of [...live]) if (one.events !== undefined && one.turn()) busy = true;
      live = live.filter(({ events }) => events !== undefined);
      return busy;
    },
  };
}
