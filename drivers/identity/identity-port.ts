/**
 * The port of src/ports/certificates.ts over the natives of the chip: no key is in this file's reach. What is asked is done
 * when it is asked; the answers wait until the main loop takes them ({@link DeviceIdentity.take}).
 */
import type { CertificateCall, CertificateEvent, CertificatePort } from "../../src/ports/certificates.js";
import type { StreamEvent, StreamPort } from "../../src/ports/stream.js";
import type { Now } from "../../src/ports/time.js";
import { PAIR, type Token, Trials } from "../../src/network/trials.js";
import type * as Natives from "./ucm-identity.js";

/** A set of credentials. */
export interface IdentitySet {
  readonly name: string;
  /** What is trusted until a signed bundle has come. */
  readonly ca: string;
  readonly profile: "modern" | "openadr-2.0b";
  /** It has a certificate of its own. */
  readonly hasPair: boolean;
}

export interface DeviceIdentityOptions {
  readonly natives: typeof Natives;
  readonly sets: readonly IdentitySet[];
  /** Common name of the first request, 32 characters at most. */
  readonly serial: string;
  now(): Now;
  log(text: string): void;
}

/** A stream port that is asked for its events. */
interface PolledStream extends StreamPort {
  poll(): StreamEvent | undefined;
}

export class DeviceIdentity implements CertificatePort {
  private readonly trials: Trials;
  private answers: CertificateEvent[] = [];
  /** By name, what TLS has not taken yet: pair and roots. */
  private readonly wanted: Record<string, readonly [boolean, boolean] | undefined> = {};

  constructor(private readonly options: DeviceIdentityOptions) {
    const { natives, log } = options;
    this.trials = new Trials({
      hasNext: (name, kind) =>
        kind === PAIR ? !Number.isNaN(natives.date(name, 1, 1)) : natives.rootsVersion(name, 1) > 0,
      confirm: (name, kind) => {
        const result = natives.confirm(name, kind);
        if (result !== "fine") log(`${name}: not kept: ${result}`);
      },
      use: (name, pair, roots) => {
        this.wanted[name] = [pair, roots];
        this.use(name);
      },
      log,
      byWord: (name) => options.sets.some((set) => set.name === name && set.profile === "openadr-2.0b"),
    });
    for (const { name } of options.sets) this.trials.renew(name);
  }

  /** There is a certificate, proved or not. */
  has(name: string): boolean {
    const { natives } = this.options;
    return !Number.isNaN(natives.date(name, 0, 1)) || !Number.isNaN(natives.date(name, 1, 1));
  }

  /** The answers that wait, oldest first. */
  take(): CertificateEvent[] {
    const { answers } = this;
    if (answers.length > 0) this.answers = [];
    return answers;
  }

  call(call: CertificateCall): void {
    if (call.do === "word") this.trials.word(call.credentials, call.taken, this.options.now().ms);
    else this.answers.push(this.carryOut(call));
  }

  private carryOut(call: Exclude<CertificateCall, { readonly do: "word" }>): CertificateEvent {
    const { natives, serial, now, sets } = this.options;
    const { credentials } = call;
    const known = sets.find(({ name }) => name === credentials);
    switch (call.do) {
      case "request": {
        const csr = known?.hasPair === true ? natives.request(credentials, serial.slice(0, 32)) : undefined;
        return { ev: "requested", credentials, csr };
      }
      case "install": {
        const why = natives.install(credentials, call.chain, now().utcMs ?? Number.NaN);
        if (why === "fine") this.trials.renew(credentials);
        return { ev: "installed", credentials, ok: why === "fine", why };
      }
      case "look": {
        // What waits for its proof is what was renewed.
        const slot = Number.isNaN(natives.date(credentials, 1, 1)) ? 0 : 1;
        const untilUtcMs = natives.date(credentials, slot, 1);
        if (Number.isNaN(untilUtcMs)) return { ev: "validity", credentials };
        return { ev: "validity", credentials, fromUtcMs: natives.date(credentials, slot, 0), untilUtcMs };
      }
      case "roots": {
        const why = known ? natives.putRoots(credentials, call.version, call.bundle) : "unknown";
        if (why === "fine") this.trials.renew(credentials);
        return { ev: "roots", credentials, version: call.version, ok: why === "fine", why };
      }
    }
  }

  /** False: TLS could not take it; what it had goes on, and it is asked again before the next connection. */
  private use(name: string): boolean {
    const wanted = this.wanted[name];
    if (wanted === undefined) return true;
    const set = this.options.sets.find((each) => each.name === name)!;
    const profile = set.profile === "openadr-2.0b" ? 1 : 0;
    const slot = !set.hasPair ? -1 : wanted[0] ? 1 : 0;
    const why = this.options.natives.use(name, slot, wanted[1] ? 1 : 0, set.ca, profile);
    if (why !== "fine") this.options.log(`${name}: its credentials cannot be used: ${why}`);
    else this.wanted[name] = undefined;
    return why === "fine";
  }

  /** The same streams, watched: who is answered, and who is refused. */
  watch(stream: PolledStream): PolledStream {
    const tokens = new Map<number, Token>();
    const { trials, options } = this;
    return {
      open: (request) => {
        const { id, credentials } = request;
        tokens.delete(id);
        const token = trials.open(credentials, options.now().ms);
        // What TLS has not taken is not what is tried.
        if (this.use(credentials) && token) tokens.set(id, token);
        stream.open(request);
      },
      write: (id, bytes) => stream.write(id, bytes),
      close: (id) => {
        tokens.delete(id);
        stream.close(id);
      },
      poll: () => {
        const event = stream.poll();
        const token = event === undefined ? undefined : tokens.get(event.id);
        if (event === undefined || token === undefined) return event;
        if (event.ev === "data") {
          const verdict = verdictOf(event.bytes);
          if (verdict === "taken") trials.answered(token);
          else if (verdict === "refused") trials.failed(token, "tls-client-certificate", options.now().ms);
        } else if (event.ev === "failed") trials.failed(token, event.reason, options.now().ms);
        if (event.ev !== "open") tokens.delete(event.id);
        return event;
      },
    };
  }
}

/**
 * What the beginning of an answer says of our certificate. A server that has shaken hands may still not know it: HTTP 401 and
 * 403. Other errors say nothing; what is no HTTP (MQTT) has taken it.
 */
function verdictOf(bytes: Uint8Array): "taken" | "refused" | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (!text.startsWith("HTTP/")) return "taken";
  const status = Number(text.slice(9));
  return status < 400 ? "taken" : status === 401 || status === 403 ? "refused" : undefined;
}
