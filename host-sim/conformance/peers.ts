/** Peers for the plan in virtual time: our simulated charger and our module, sound or with a planted fault. */
import { fromHex, toHex } from "../../src/base/hex.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { type Input, Machine, type Output } from "../../src/runtime.js";
import { readConfig } from "../../src/setup/config.js";
import { FaultLine } from "../line/fault-line.js";
import type { LineFault } from "../line/fault-names.js";
import type { Profile } from "../sgd/profile-model.js";
import { SgdSimulator } from "../sgd/simulator.js";
import { MangleLine, type Mangle } from "./mangle-line.js";

/** Whatever hangs on an end of the line. */
export interface Peer {
  onByteLine(event: ByteLineEvent, nowMs: number): void;
  poll(nowMs: number): void;
  nextMs(): number;
}

export type MakePeer = (line: ByteLine, random: RandomPort) => Peer;

/** A stack behind a {@link MangleLine}. */
class Mangled implements Peer {
  readonly #line: MangleLine;
  readonly #peer: Peer;

  constructor(line: ByteLine, mangle: Mangle, make: (line: ByteLine) => Peer) {
    this.#line = new MangleLine(line, mangle);
    this.#peer = make(this.#line);
  }

  onByteLine(event: ByteLineEvent, nowMs: number): void {
    this.#line.receive(event, nowMs);
    this.poll(nowMs);
  }

  poll(nowMs: number): void {
    this.#line.poll(nowMs);
    for (let event = this.#line.take(); event !== undefined; event = this.#line.take()) {
      this.#peer.onByteLine(event, nowMs);
    }
    this.#peer.poll(nowMs);
  }

  nextMs(): number {
    return Math.min(this.#line.nextMs(), this.#peer.nextMs());
  }
}

export interface SgdPeerOptions {
  readonly profile: Profile;
  /** A name of `SgdSimulator.fault`. */
  readonly fault?: string | undefined;
  readonly mangle?: Mangle | undefined;
  /** Bit n set: takes bit-rate code n. */
  readonly bitRates?: number | undefined;
  /** With the customer's car on the cable. */
  readonly plugged?: boolean | undefined;
}

/** The simulated charger. */
export function sgdPeer(options: SgdPeerOptions): MakePeer {
  return (line, random) => {
    const make = (on: ByteLine): Peer => {
      const sgd = new SgdSimulator({
        profile: options.profile,
        line: on,
        random,
        emit: () => undefined,
        ...(options.bitRates === undefined ? {} : { bitRates: options.bitRates }),
      });
      if (options.plugged !== false) sgd.plug();
      if (options.fault !== undefined && !sgd.fault(options.fault))
        throw new Error(`no fault ${options.fault}`);
      return sgd;
    };
    return options.mangle === undefined ? make(line) : new Mangled(line, options.mangle, make);
  };
}

export interface UcmPeerOptions {
  readonly fault?: LineFault | undefined;
  readonly mangle?: Mangle | undefined;
}

/** The module as it runs everywhere, without an upstream. */
export function ucmPeer(options: UcmPeerOptions = {}): MakePeer {
  return (line, random) => {
    const make = (on: ByteLine): Peer => new ModulePeer(on, random, options.fault);
    return options.mangle === undefined ? make(line) : new Mangled(line, options.mangle, make);
  };
}

class ModulePeer implements Peer {
  readonly #machine = new Machine();
  readonly #line: FaultLine;
  #inputs: Input[];
  #wakeMs = 0;

  constructor(line: ByteLine, random: RandomPort, fault: LineFault | undefined) {
    this.#line = new FaultLine({ line, random });
    if (fault !== undefined) this.#line.start(fault);
    const config = readConfig({ upstreams: [], polling: { stateSeconds: 60, commoditySeconds: 30 } });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    this.#inputs = [{ k: "boot", config, store: {}, seed: [1, 2, 3, random.uint32()] }];
  }

  onByteLine(event: ByteLineEvent, nowMs: number): void {
    this.#line.receive(event);
    this.poll(nowMs);
  }

  poll(nowMs: number): void {
    for (let round = 0; round < 8; round++) {
      this.#line.poll(nowMs);
      for (let event = this.#line.take(); event !== undefined; event = this.#line.take()) {
        if (event.ev === "rx") this.#inputs.push({ k: "rx", hex: toHex(event.bytes), atMs: event.atMs });
        else if (event.ev === "sent") this.#inputs.push({ k: "sent", atMs: event.atMs });
        else this.#inputs.push({ k: "carrier", on: event.on, atMs: event.atMs });
      }
      if (this.#inputs.length === 0 && nowMs < this.#wakeMs) return;
      const inputs = this.#inputs;
      this.#inputs = [];
      const reply = this.#machine.step({ nowMs, utcMs: 1_780_315_200_000 + nowMs, in: inputs });
      this.#wakeMs = reply.wakeMs ?? NEVER;
      for (const output of reply.out) this.#carryOut(output);
    }
  }

  nextMs(): number {
    return Math.min(this.#line.nextMs(), this.#wakeMs);
  }

  #carryOut(output: Output): void {
    if (output.k === "tx") this.#line.write(fromHex(output.hex)!);
    else if (output.k === "rate") this.#line.setBitRate(output.bitsPerSecond);
  }
}
