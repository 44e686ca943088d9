// The updater in virtual time: a server made of files, a flash of two slots that survives power cuts, and a module
// around them whose firmware behaves as the image that runs says.
import { createHash } from "node:crypto";
import { newKey, type SigningKey } from "../../host-sim/release/keys.js";
import { MemoryFiles } from "../../host-sim/release/files.js";
import { MemoryStore } from "../../host-sim/release/verify.js";
import {
  Repository,
  ROLES,
  type Context,
  type Custom,
  type RoleName,
} from "../../host-sim/release/repository.js";
import { SimulatedSlots } from "../../host-sim/runtime/slots.js";
import { seededRandom } from "../../src/base/random.js";
import type { CertificatePort } from "../../src/ports/certificates.js";
import type { HttpEvent, HttpRequest } from "../../src/ports/http.js";
import type { UpdateCall, UpdateEvent } from "../../src/ports/update.js";
import { Updater, type UpdateCode } from "../../src/update/updater.js";

export const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);
export const DAY = 86_400_000;
export const BOARD = "bench";

export type Keys = Record<RoleName, SigningKey[]>;

/** A repository in RAM: 3 root keys (2 must sign), 2 for targets (both must), 1 each online. */
export class TestRepo {
  readonly files = new MemoryFiles();
  readonly keys: Keys;
  readonly repository: Repository;
  utcMs: number;

  constructor(keys: Keys = makeKeys(), utcMs = T0) {
    this.keys = keys;
    this.utcMs = utcMs;
    this.repository = Repository.create(
      this.files,
      keys,
      { root: 2, timestamp: 1, snapshot: 1, targets: 2 },
      this.context(),
    );
  }

  context(keys: readonly SigningKey[] = ROLES.flatMap((role) => this.keys[role])): Context {
    return { keys, utcMs: this.utcMs };
  }

  get rootText(): string {
    return this.files.read("metadata/1.root.json")!.toString();
  }

  add(version: string, image: Buffer, custom: Partial<Custom> = {}): void {
    const { blocks: _, ...rest } = { board: BOARD, version, shareBp: 10_000, ...custom } as Custom;
    this.repository.add(image, `${rest.board}-${version}.bin`, rest, this.context());
  }
}

export function makeKeys(): Keys {
  const make = (role: RoleName, count: number): SigningKey[] =>
    Array.from({ length: count }, (_, i) => newKey(`${role}-${i + 1}`));
  return {
    root: make("root", 3),
    timestamp: make("timestamp", 1),
    snapshot: make("snapshot", 1),
    targets: make("targets", 2),
  };
}

/** Bytes that do not repeat, the same for the same seed. */
export function imageOf(bytes: number, seed = 1): Buffer {
  const image = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 32)
    createHash("sha256").update(`${seed} ${at}`).digest().copy(image, at);
  return image;
}

/** What is wrong with an image; `good` = nothing. */
export type Behaviour = "good" | "crash" | "hang" | "no-network" | "broken-tls" | "dead-link";

export class PowerCut extends Error {}

/** What a request earns instead of a file; `drip` answers its head, and then a byte a second. */
export type Trouble =
  { readonly after: number } | "refused" | "tls-untrusted" | "drip" | "endless" | { readonly status: number };

const TICK_MS = 20;
/** The watchdog ends a firmware that hangs. */
const WATCHDOG_MS = 30_000;
const BOOT_MS = 4000;

export class Rig {
  readonly store = new MemoryStore();
  readonly slots: SimulatedSlots;
  readonly security: { readonly code: UpdateCode | "security-setup"; readonly text: string }[] = [];
  /** Keeps trust roots; without it the module has none. */
  certificates: CertificatePort | undefined;
  readonly logs: string[] = [];
  /** Images that are no good, by version. */
  readonly behaviours = new Map<string, Behaviour>();
  updater!: Updater;
  ms = 0;
  utcOffset: number | undefined = T0;
  files: MemoryFiles;
  gridEvent = false;
  steady = true;
  /** The line is quiet from then on. */
  quietFromMs = 0;
  networkUp = true;
  chargerThere = true;
  bodyBytes = 0;
  requests = 0;
  restarts = 0;
  /** Asked before every request and every step of the flash. */
  trouble: (request: HttpRequest) => Trouble | undefined = () => undefined;
  onStep: (what: string) => void = () => undefined;
  checkHours = 24;
  /** True for a call whose answer never comes. */
  loses: (call: UpdateCall) => boolean = () => false;
  /** So many restarts are asked for in vain. */
  restartsHang = 0;
  private events: { readonly atMs: number; readonly event: HttpEvent }[] = [];
  private answers: UpdateEvent[] = [];
  private restartAsked = false;
  private bootedMs = 0;
  private readonly random;
  private ids = 0;

  constructor(
    readonly repo: TestRepo,
    options: {
      readonly seed?: number;
      readonly slotBytes?: number;
      readonly version?: string;
      readonly securityVersion?: number;
    } = {},
  ) {
    this.files = repo.files;
    this.random = seededRandom(options.seed ?? 1);
    this.slots = new SimulatedSlots({
      board: BOARD,
      version: options.version ?? "1.0.0",
      ...(options.slotBytes === undefined ? {} : { slotBytes: options.slotBytes }),
      securityVersion: options.securityVersion ?? 0,
      step: (what) => this.onStep(what),
    });
    this.boot();
  }

  get utcMs(): number | undefined {
    return this.utcOffset === undefined ? undefined : this.utcOffset + this.ms;
  }

  get now(): { ms: number; utcMs: number | undefined } {
    return { ms: this.ms, utcMs: this.utcMs };
  }

  get running(): string {
    return this.slots.state.version;
  }

  private get behaviour(): Behaviour {
    return this.behaviours.get(this.running) ?? "good";
  }

  /** Power comes, or a reset. A power cut within the boot loader's own step is a boot more. */
  boot(): void {
    this.events = [];
    this.answers = [];
    this.restartAsked = false;
    this.restarts++;
    for (;;) {
      this.ms += BOOT_MS;
      try {
        this.slots.boot();
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        continue;
      }
      if (this.behaviour !== "crash") break;
      if (!this.slots.state.trial) throw new Error("a crashing image is no longer on trial: a brick");
    }
    this.bootedMs = this.ms;
    const { repo } = this;
    this.updater = new Updater(
      { url: "https://updates.test/fw", rootText: repo.rootText, checkHours: this.checkHours },
      {
        http: { request: (request) => this.request(request), abort: (id) => this.abort(id) },
        port: { slots: this.slots.state, call: (call) => this.call(call) },
        random: this.random,
        store: this.store,
        certificates: this.certificates,
        credentials: ["vtn", "update"],
        nextRequestId: () => ++this.ids,
        quietMs: ({ ms }) => Math.max(ms, this.quietFromMs),
        gridEvent: () => this.gridEvent,
        steady: () => this.steady,
        session: () => (this.chargerThere && this.behaviour !== "dead-link" ? "charger 1" : ""),
        security: (code, text) => this.security.push({ code, text }),
        log: (_level, text) => this.logs.push(text),
        restart: () => {
          if (this.restartsHang > 0) this.restartsHang--;
          else this.restartAsked = true;
        },
      },
    );
    this.updater.start(this.now);
  }

  private call(call: UpdateCall): void {
    const answer = this.slots.carryOut(call);
    if (!this.loses(call)) this.answers.push(answer);
  }

  private abort(id: number): void {
    this.events = this.events.filter(({ event }) => event.id !== id);
  }

  private request(request: HttpRequest): void {
    const { id } = request;
    this.requests++;
    const at = (afterMs: number, event: HttpEvent): void => {
      this.events.push({ atMs: this.ms + afterMs, event });
    };
    const failed = (reason: "refused" | "tls-untrusted" | "closed" | "unreachable", afterMs = 30): void =>
      at(afterMs, { id, ev: "failed", reason, text: "" });
    const { behaviour } = this;
    if (!this.networkUp || behaviour === "no-network") return failed("unreachable");
    if (behaviour === "broken-tls") return failed("tls-untrusted");
    const trouble = this.trouble(request);
    if (trouble === "refused" || trouble === "tls-untrusted") return failed(trouble);
    if (typeof trouble === "object" && "status" in trouble) {
      at(30, { id, ev: "head", status: trouble.status, headers: [] });
      return at(31, { id, ev: "end" });
    }
    const file = this.files.read(request.url.slice("https://updates.test/fw/".length));
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.find(([name]) => name === "range")?.[1] ?? "");
    if (file === undefined) {
      at(30, { id, ev: "head", status: 404, headers: [] });
      return at(31, { id, ev: "end" });
    }
    const from = range ? Number(range[1]) : 0;
    const body = range ? file.subarray(from, Number(range[2]) + 1) : file;
    const headers: [string, string][] = range
      ? [["content-range", `bytes ${from}-${from + body.length - 1}/${file.length}`]]
      : [];
    at(30, { id, ev: "head", status: range ? 206 : 200, headers });
    if (trouble === "drip") {
      for (let i = 0; i < Math.min(body.length, 120); i++)
        at(1000 * (i + 1), { id, ev: "data", bytes: new Uint8Array(body.subarray(i, i + 1)) });
      return;
    }
    if (trouble === "endless") {
      for (let i = 0; i < 64; i++) at(31 + i, { id, ev: "data", bytes: new Uint8Array(1024).fill(0x20) });
      return;
    }
    const whole = typeof trouble === "object" ? body.subarray(0, trouble.after) : body;
    const piece = 1460;
    for (let i = 0; i < whole.length; i += piece)
      at(31 + i / piece, { id, ev: "data", bytes: new Uint8Array(whole.subarray(i, i + piece)) });
    if (whole.length < body.length) failed("closed", 60);
    else at(60, { id, ev: "end" });
  }

  /** Goes on until a condition, or for so long. True where the condition came. A {@link PowerCut} is a boot. */
  run(forMs: number, until: () => boolean = () => false): boolean {
    const endMs = this.ms + forMs;
    while (this.ms < endMs) {
      if (until()) return true;
      try {
        this.turn(endMs, until);
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.boot();
      }
    }
    return until();
  }

  private turn(endMs: number, until: () => boolean): void {
    if (this.restartAsked) return this.boot();
    const { updater } = this;
    if (this.behaviour === "hang") {
      this.ms += WATCHDOG_MS;
      return this.boot();
    }
    const due = this.events.filter(({ atMs }) => atMs <= this.ms);
    this.events = this.events.filter(({ atMs }) => atMs > this.ms);
    for (const { event } of due) {
      if (event.ev === "data") this.bodyBytes += event.bytes.length;
      updater.onHttp(event, this.now);
    }
    for (const event of this.answers.splice(0)) updater.onUpdate(event, this.now);
    updater.poll(this.now);
    if (this.restartAsked || this.answers.length > 0 || until()) return;
    const next = Math.min(updater.nextMs(), ...this.events.map(({ atMs }) => atMs));
    if (next > this.ms) this.ms = Math.min(Math.max(this.ms + 1, Math.ceil(next)), endMs, this.ms + 60_000);
    else this.ms += this.idle++ > 10_000 ? TICK_MS : 0;
    if (next > this.ms) this.idle = 0;
  }

  private idle = 0;

  /** Looks for an update at once. */
  check(): void {
    this.updater.check(this.now);
  }

  /** Codes and texts of the security log. */
  told(code: UpdateCode | "security-setup"): string[] {
    return this.security.filter((one) => one.code === code).map(({ text }) => text);
  }

  /** The time since the firmware that runs was booted, ms. */
  get upMs(): number {
    return this.ms - this.bootedMs;
  }
}
