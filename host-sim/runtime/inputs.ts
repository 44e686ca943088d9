import { toHex } from "../../src/base/hex.js";
import type { HttpEvent } from "../../src/ports/http.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import type { Input } from "../../src/runtime.js";

/** What a line has to say, as an input of the module (src/runtime.ts). */
export function lineInput(event: ByteLineEvent): Input {
  switch (event.ev) {
    case "rx":
      return { k: "rx", hex: toHex(event.bytes), atMs: event.atMs };
    case "sent":
      return { k: "sent", atMs: event.atMs };
    case "carrier":
      return { k: "carrier", on: event.on, atMs: event.atMs };
  }
}

/** What became of a request, as an input of the module. */
export function httpInput(event: HttpEvent): Input {
  const { id } = event;
  switch (event.ev) {
    case "head":
      return { k: "head", id, status: event.status, headers: event.headers };
    case "data":
      return { k: "data", id, hex: toHex(event.bytes) };
    case "end":
      return { k: "end", id };
    case "failed":
      return { k: "failed", id, reason: event.reason, text: event.text };
  }
}
