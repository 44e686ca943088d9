/**
 * The world of a module that runs behind one function (runtime.ts): every port is a wish put into the outputs. Classes, not
 * objects of functions: a method lies in flash, a function made at run time stands in RAM with its code and its variables.
 */
import type { UcmEvent, WebWorld, World } from "./world.js";
import { toHex } from "./base/hex.js";
import { BridgedFlash } from "./bridged-flash.js";
import { BridgedFrameLine } from "./bridged-line.js";
import { bridgedNetwork } from "./bridged-network.js";
import { BridgedUpdate } from "./bridged-update.js";
import type { Lamp } from "./health/lamp.js";
import type { StartReason } from "./journal/recorder.js";
import type { CertificateCall } from "./ports/certificates.js";
import type { FlashPort } from "./ports/flash.js";
import type { WebResponse } from "./ports/http-server.js";
import type { Setup } from "./setup/setup-form.js";
import type { HttpPort, HttpRequest } from "./ports/http.js";
import type { ByteLine, FrameLine } from "./ports/line.js";
import type { MdnsPort } from "./ports/mdns.js";
import type { MqttPort, MqttSubscription } from "./ports/mqtt.js";
import type { NetworkPort } from "./ports/network.js";
import type { RandomPort, StorePort } from "./ports/time.js";
import type { WebSocketPort, WebSocketRequest } from "./ports/websocket.js";
import type { BootWeb, Input, Output } from "./batch.js";

/** What the module wants of the world, in order, until it is taken. */
export class Outputs {
  private list: Output[] = [];

  put(output: Output): void {
    this.list.push(output);
  }

  take(): Output[] {
    const list = this.list;
    this.list = [];
    return list;
  }
}

class Bridge {
  constructor(protected readonly out: Outputs) {}
}

class BridgedByteLine extends Bridge implements ByteLine {
  write(bytes: Uint8Array): void {
    this.out.put({ k: "tx", hex: toHex(bytes) });
  }
  setBitRate(bitsPerSecond: number): boolean {
    this.out.put({ k: "rate", bitsPerSecond });
    return true;
  }
}

class BridgedHttp extends Bridge implements HttpPort {
  request(request: HttpRequest): void {
    this.out.put({ k: "http", request });
  }
  abort(id: number): void {
    this.out.put({ k: "abort", id });
  }
}

class BridgedWebSocket extends Bridge implements WebSocketPort {
  open(request: WebSocketRequest): void {
    this.out.put({ k: "ws", call: { do: "open", request } });
  }
  send(id: number, text: string): void {
    this.out.put({ k: "ws", call: { do: "send", id, text } });
  }
  close(id: number, code: number, reason: string): void {
    this.out.put({ k: "ws", call: { do: "close", id, code, reason } });
  }
  keepAlive(id: number, pingMs: number): void {
    this.out.put({ k: "ws", call: { do: "keep-alive", id, pingMs } });
  }
  setPassword(credentials: string, password: string): void {
    this.out.put({ k: "ws", call: { do: "password", credentials, password } });
  }
}

class BridgedMqtt extends Bridge implements MqttPort {
  subscribe(request: MqttSubscription): void {
    this.out.put({ k: "mqtt", call: { do: "subscribe", request } });
  }
  end(id: number): void {
    this.out.put({ k: "mqtt", call: { do: "end", id } });
  }
}

class BridgedMdns extends Bridge implements MdnsPort {
  browse(service: string): void {
    this.out.put({ k: "mdns", call: { do: "browse", service } });
  }
  stop(service: string): void {
    this.out.put({ k: "mdns", call: { do: "stop", service } });
  }
}

class BridgedCertificates extends Bridge {
  call(call: CertificateCall): void {
    this.out.put({ k: "certificate", call });
  }
}

/** A map: to ask an object for a name makes XS keep that name for ever. */
class BridgedStore implements StorePort {
  private readonly values: Map<string, string>;

  constructor(
    values: Readonly<Record<string, string>>,
    private readonly out: Outputs,
  ) {
    this.values = new Map(Object.entries(values));
  }

  get(key: string): string | undefined {
    return this.values.get(key);
  }
  set(key: string, value: string): void {
    this.values.set(key, value);
    this.out.put({ k: "set", key, value });
  }
  delete(key: string): void {
    this.values.delete(key);
    this.out.put({ k: "del", key });
  }
}

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * xoshiro128** by Blackman and Vigna (public domain algorithm), seeded by the world: delays and back-off need
 * spread, not secrecy. Keys and nonces are never made from it.
 */
class Xoshiro implements RandomPort {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: readonly number[]) {
    [this.a, this.b, this.c, this.d] = [seed[0] ?? 1, seed[1] ?? 2, seed[2] ?? 3, seed[3] ?? 4];
  }

  uint32(): number {
    const result = Math.imul(rotate(Math.imul(this.b, 5), 7), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = rotate(this.d, 11);
    return result;
  }
}

class BridgedWeb extends Bridge implements WebWorld {
  readonly ownerSecret: string;
  readonly fresh: boolean;
  readonly configure?: (setup: Setup) => void;

  constructor({ ownerSecret, fresh, settable }: BootWeb, out: Outputs) {
    super(out);
    this.ownerSecret = ownerSecret;
    this.fresh = fresh;
    if (settable) this.configure = (setup) => this.out.put({ k: "configure", setup });
  }
  respond(response: WebResponse): void {
    this.out.put({ k: "web", response });
  }
}

export class BridgedWorld implements World {
  readonly line: ByteLine | FrameLine;
  readonly http: HttpPort;
  readonly websocket: WebSocketPort;
  readonly mqtt: MqttPort;
  readonly mdns: MdnsPort;
  readonly random: RandomPort;
  readonly store: StorePort;
  readonly startReason: StartReason;
  readonly flash?: FlashPort;
  readonly network?: NetworkPort;
  readonly builtUtcMs?: number;
  readonly certificates?: BridgedCertificates;
  readonly update?: BridgedUpdate;
  readonly web?: WebWorld;
  private readonly out: Outputs;

  /** `image`: what came of the flash before. */
  constructor(
    boot: Extract<Input, { readonly k: "boot" }>,
    image: readonly { readonly at: number; readonly bytes: Uint8Array }[],
    out: Outputs,
  ) {
    this.out = out;
    this.line = boot.line === "frame" ? new BridgedFrameLine(out) : new BridgedByteLine(out);
    this.http = new BridgedHttp(out);
    this.websocket = new BridgedWebSocket(out);
    this.mqtt = new BridgedMqtt(out);
    this.mdns = new BridgedMdns(out);
    this.random = new Xoshiro(boot.seed);
    this.store = new BridgedStore(boot.store, out);
    this.startReason = boot.reason ?? "power";
    if (boot.flashSectors !== undefined) {
      const flash = new BridgedFlash(boot.flashSectors, (op, at, bytes) =>
        out.put({ k: "flash", op, at, hex: toHex(bytes) }),
      );
      for (const { at, bytes } of image) flash.load(at, bytes);
      this.flash = flash;
    }
    if (boot.network !== undefined) {
      this.network = bridgedNetwork((call) => out.put({ k: "net", call }));
      this.builtUtcMs = boot.network.builtUtcMs;
    }
    if (boot.web !== undefined) this.web = new BridgedWeb(boot.web, out);
    if (boot.slots !== undefined) this.update = new BridgedUpdate(boot.slots, out);
    if (boot.certificates === true) this.certificates = new BridgedCertificates(out);
  }

  lamp(lamp: Lamp): void {
    this.out.put({ k: "lamp", lamp });
  }

  restart(why: StartReason): void {
    this.out.put({ k: "restart", why });
  }

  emit(event: UcmEvent): void {
    if (event.event === "frame") {
      const { bytes, ...rest } = event;
      this.out.put({ k: "event", event: { ...rest, hex: toHex(bytes) } });
    } else this.out.put({ k: "event", event });
  }
}
