/** The Moddable SDK's Wi-Fi, names, UDP and clock as {@link WifiSdk}. **Never run on hardware.** */
import Net from "net";
import { Socket } from "socket";
import Time from "time";
import WiFi from "wifi";
import type { UdpSocket, WifiSdk } from "./station.js";

/** What the SDK's Socket is for UDP; its own declarations know TCP alone. */
interface SdkUdp {
  close(): void;
  read(type: ArrayBufferConstructor): ArrayBuffer;
  write(address: string, port: number, data: ArrayBufferLike): void;
}
const SdkSocket = Socket as unknown as new (options: { readonly kind: "UDP" }) => SdkUdp;

class Udp extends SdkSocket implements UdpSocket {
  readonly #received: (bytes: Uint8Array, address: string) => void;

  constructor(received: (bytes: Uint8Array, address: string) => void) {
    super({ kind: "UDP" });
    this.#received = received;
  }

  send(address: string, port: number, bytes: Uint8Array): void {
    this.write(address, port, bytes.slice().buffer);
  }

  /** Called by the SDK; 2 = a datagram came in, with its length and its sender. */
  callback(message: number, _length?: number, address?: string): void {
    if (message === 2 && address !== undefined)
      this.#received(new Uint8Array(this.read(ArrayBuffer)), address);
  }
}

/** One a module: the radio has one listener. */
export function wifiSdk(): WifiSdk {
  let listener: WiFi | undefined;
  return {
    onMessage: (handle) => {
      listener?.close();
      const heard = (message: string, value?: number): void => handle(message, value);
      listener = new WiFi(undefined, heard as never); // the SDK's declarations know fewer arguments
    },
    connect: (ssid, password) => {
      if (WiFi.mode < 0) WiFi.mode = WiFi.Mode.station;
      WiFi.connect(password === "" ? { ssid } : { ssid, password });
    },
    disconnect: () => WiFi.disconnect(),
    off: () => {
      WiFi.mode = WiFi.Mode.off;
    },
    accessPoint: (ssid, password) => WiFi.accessPoint({ ssid, password, max: 2, station: true } as never),
    noAccessPoint: () => {
      WiFi.mode = WiFi.Mode.station;
    },
    scan: (each) => WiFi.scan({}, (item) => each(item === null ? null : item.ssid)),
    rssiDbm: () => Number(Net.get("RSSI")),
    resolve: (host, done) => Net.resolve(host, (_name, address) => done(address ?? undefined)),
    udp: (received) => new Udp(received),
    nowMs: () => Time.ticks,
    setClock: (utcMs) => Time.set(Math.floor(utcMs / 1000)),
  };
}
