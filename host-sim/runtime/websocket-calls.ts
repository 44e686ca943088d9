import type { WebSocketEvent, WebSocketPort } from "../../src/ports/websocket.js";
import type { WebSocketCall } from "../../src/runtime.js";

/** Carries out what the firmware asks of the WebSocket port; without a port every connection fails. */
export function carryOutCall(
  call: WebSocketCall,
  port: WebSocketPort | undefined,
  deliver: (event: WebSocketEvent) => void,
): void {
  switch (call.do) {
    case "open": {
      if (port !== undefined) {
        port.open(call.request);
        break;
      }
      const text = "This program connects to no charging platform.";
      deliver({ id: call.request.id, ev: "failed", reason: "unreachable", text });
      break;
    }
    case "send":
      port?.send(call.id, call.text);
      break;
    case "close":
      port?.close(call.id, call.code, call.reason);
      break;
    case "keep-alive":
      port?.keepAlive(call.id, call.pingMs);
      break;
    case "password":
      port?.setPassword(call.credentials, call.password);
      break;
  }
}
