/**
 * Peers with one planted fault each, and the test of the plan that must find it. They are sound stacks (our
 * simulated charger, our module) behind a line that spoils what they say or hear, so that nothing else differs.
 */
import { checkBytes, emitAnswer, parseFrame } from "../../src/wire/frame.js";
import { isFault } from "../../src/base/fault.js";
import { BasicOp, DataLinkOp, MessageType } from "../../src/wire/message.js";
import { isAnswer } from "../line/framer.js";
import type { LineFault } from "../line/fault-names.js";
import type { Profile } from "../sgd/profile-model.js";
import type { Mangle } from "./mangle-line.js";
import {
  answers,
  dies,
  forgetsEndShed,
  ignoresChecksum,
  ignoresGap,
  impatient,
  isReboot,
  isReply,
  neverResynchronises,
  quickAck,
  rewrite,
  same,
  shortSheds,
  takesAnswers,
  typeQueryReply,
} from "./mangles.js";
import { sgdPeer, ucmPeer, type MakePeer } from "./peers.js";
import type { Role } from "./plan.js";

export interface BrokenPeer {
  readonly name: string;
  /** The part that we play against it; the peer is the other. */
  readonly role: Role;
  /** What it does wrong. */
  readonly text: string;
  /** Tests that must not pass: the first names the fault. */
  readonly caughtBy: readonly string[];
  /** The source is too weak for a failure: it is advice unless strict. */
  readonly isAdvice?: boolean;
  make(): MakePeer;
}

/** A fault that either side can have, and what finds it. */
interface Planted {
  readonly text: string;
  readonly caughtBy: readonly string[];
  readonly isAdvice?: boolean;
  readonly line?: LineFault;
  readonly mangle?: () => Mangle;
}

const common: Readonly<Record<string, Planted>> = {
  "wrong-checksum": {
    text: "wrong check bytes in every frame",
    caughtBy: ["frames.checksum"],
    line: "wrong-checksum",
  },
  "wrong-length": {
    text: "a length field that is one too large",
    caughtBy: ["frames.whole"],
    line: "wrong-length",
  },
  "early-ack": {
    text: "link ACK 5 ms after the frame",
    caughtBy: ["link.ack-earliest"],
    line: "early-ack",
  },
  "quick-ack": {
    text: "link ACK 15 ms after the frame, as a certified water heater does",
    caughtBy: ["link.ack-earliest"],
    isAdvice: true,
    mangle: () => quickAck(15),
  },
  "late-ack": { text: "link ACK 300 ms after the frame", caughtBy: ["link.ack-latest"], line: "late-ack" },
  "no-ack": { text: "no link ACK", caughtBy: ["link.ack"], line: "no-ack" },
  "ack-and-reply-in-one": {
    text: "link ACK and reply in one burst",
    caughtBy: ["reply.earliest"],
    line: "coalesced-ack",
  },
  "duplicate-ack": { text: "every link answer twice", caughtBy: ["link.ack-once"], line: "duplicate-ack" },
  "duplicate-frame": {
    text: "every frame twice, 30 ms apart",
    caughtBy: ["frames.gap", "frames.repeat"],
    line: "duplicate-frame",
  },
  "nak-to-everything": { text: "NAK 07 to every frame", caughtBy: ["link.ack"], line: "nak-07" },
  babbles: { text: "random bytes on the line all the time", caughtBy: ["frames.noise"], line: "babble" },
  "resets-mid-frame": {
    text: "stops in the middle of its frames",
    caughtBy: ["frames.whole"],
    line: "reset-mid-frame",
  },
  mute: { text: "says nothing", caughtBy: ["link.ack"], line: "mute" },
  "never-replies": {
    text: "link ACK, and no application reply",
    caughtBy: ["reply.unacknowledged"],
    isAdvice: true,
    mangle: () => rewrite((type, payload) => (isReply(type, payload) ? null : undefined)),
  },
  "late-reply": {
    text: "application replies 4 s after the ACK",
    caughtBy: ["reply.latest"],
    mangle: () => ({
      out(bytes, isLinkAnswer) {
        const frame = isLinkAnswer ? undefined : parseFrame(bytes);
        const isHit = frame !== undefined && !isFault(frame) && isReply(frame.type, frame.payload);
        return [{ bytes, ...(isHit ? { afterMs: 4000 } : {}) }];
      },
    }),
  },
  "takes-wrong-checksums": {
    text: "acknowledges frames with wrong check bytes",
    caughtBy: ["link.nak-checksum"],
    mangle: ignoresChecksum,
  },
  "answers-answers": {
    text: "acknowledges an ACK",
    caughtBy: ["link.no-answer-to-answer"],
    mangle: () => ({
      heard: (bytes) => (isAnswer(bytes) ? { say: [{ bytes: emitAnswer(-1), afterMs: 60 }] } : {}),
    }),
  },
  "wrong-nak-code": {
    text: "NAK 03 to a type that it does not know",
    caughtBy: ["link.nak-type"],
    mangle: () => answers((code) => (code === 6 ? 3 : code)),
  },
  "ignores-cut-frames": {
    text: "no NAK 05 to a frame that never ends",
    caughtBy: ["link.nak-timeout"],
    mangle: () => answers((code) => (code === 5 ? undefined : code)),
  },
  "never-resynchronises": {
    text: "deaf for 5 s after garbage",
    caughtBy: ["link.resync-garbage"],
    mangle: neverResynchronises,
  },
  "claims-payload": {
    text: "NAK 02 to payloads of more than 8 bytes, whatever limit it told",
    caughtBy: ["payload.holds"],
    mangle: () =>
      answers((code, heard) => (heard.length > 14 && heard[3]! > 8 && heard[0] === 0x08 ? 2 : code)),
  },
  "payload-code": {
    text: "tells a max-payload code that does not exist",
    caughtBy: ["payload.answer"],
    mangle: () =>
      rewrite((type, payload) =>
        type === MessageType.DataLink && payload[0] === DataLinkOp.MaxPayload
          ? Uint8Array.of(0x19, 0x20)
          : undefined,
      ),
  },
  "ignores-gap": {
    text: "begins a dialogue 30 ms after its own link ACK",
    caughtBy: ["frames.gap"],
    mangle: ignoresGap,
  },
  impatient: {
    text: "repeats a frame after 64 ms, before an ACK can be there",
    caughtBy: ["frames.gap", "send.retry"],
    mangle: impatient,
  },
  "type-query-reply": {
    text: "an App ACK to a type query",
    caughtBy: ["type.no-reply"],
    mangle: () => typeQueryReply(),
  },
  "reserved-length-bits": {
    text: "sets a reserved bit of the length field",
    caughtBy: ["frames.reserved-bits"],
    mangle: () => ({
      out(bytes, isLinkAnswer) {
        if (isLinkAnswer) return same(bytes);
        const frame = bytes.slice();
        frame[2]! |= 0x20;
        const check = checkBytes(frame, 0, frame.length - 2);
        frame[frame.length - 2] = check >> 8;
        frame[frame.length - 1] = check;
        return same(frame);
      },
    }),
  },
  "slow-frames": {
    text: "frames with a pause of 600 ms in the middle",
    caughtBy: ["frames.whole"],
    mangle: () => ({
      out(bytes, isLinkAnswer) {
        if (isLinkAnswer) return same(bytes);
        return [{ bytes: bytes.slice(0, 5) }, { bytes: bytes.slice(5), afterMs: 600 }];
      },
    }),
  },
  "deaf-to-early-acks": {
    text: "does not hear a link answer in the first 35 ms",
    caughtBy: ["send.ack-early"],
    mangle: () => takesAnswers(35, 1e9),
  },
  "deaf-to-late-acks": {
    text: "does not hear a link answer after 150 ms",
    caughtBy: ["send.ack-late"],
    mangle: () => takesAnswers(0, 150),
  },
  "dies-of-silence": {
    text: "does not answer any more after 10 min of silence",
    caughtBy: ["plug.silence"],
    mangle: () => dies(1e9, (_bytes, silentMs) => silentMs > 600_000),
  },
  "bit-rate-and-stays": {
    text: "acknowledges a bit rate and stays at the old one",
    caughtBy: ["rate.change"],
    isAdvice: true,
    mangle: () =>
      answers((code, heard) =>
        heard[1] === 0x03 && heard[4] === DataLinkOp.BitRate && heard[5] === 1 ? -1 : code,
      ),
  },
};

/** Faults that only an appliance can have; `fault` is one of the simulator's own. */
const ofAppliances: Readonly<Record<string, Planted & { readonly fault?: string }>> = {
  "wrong-reply": {
    text: "replies name another opcode than the one asked",
    caughtBy: ["basic.state", "basic.shed"],
    fault: "wrong-reply",
  },
  "never-answers-state": {
    text: "no reply to a query of the state",
    caughtBy: ["basic.state"],
    fault: "never-replies",
  },
  "late-state": { text: "replies after 5 s", caughtBy: ["reply.latest"], fault: "late-reply" },
  "overstates-payload": {
    text: "NAK 02 to more than 8 bytes (the simulator's own)",
    caughtBy: ["payload.holds"],
    fault: "overstates-payload",
  },
  "forgets-end-shed": {
    text: "App ACK to End Shed, and stays curtailed",
    caughtBy: ["basic.end-shed-state"],
    mangle: () => forgetsEndShed(),
  },
  "sheds-nothing": {
    text: "App ACK to Shed, and goes on as before",
    caughtBy: ["basic.shed-state"],
    isAdvice: true,
    fault: "ack-only",
  },
  "ends-too-soon": {
    text: "a Shed ends after 10 s, whatever its duration",
    caughtBy: ["basic.duration"],
    mangle: () => shortSheds(),
  },
  "reserved-state": {
    text: "tells the reserved state 99",
    caughtBy: ["basic.state", "frames.values"],
    mangle: () =>
      rewrite((type, [op]) =>
        type === MessageType.Basic && op === BasicOp.State ? Uint8Array.of(0x13, 99) : undefined,
      ),
  },
  "short-information": {
    text: "a reply to GetInformation that is 2 bytes short",
    caughtBy: ["info.get", "frames.layout"],
    mangle: () =>
      rewrite((type, payload) =>
        type === MessageType.Intermediate && payload[0] === 1 && payload[1] === 0x81
          ? payload.slice(0, 14)
          : undefined,
      ),
  },
  "module-as-appliance": {
    text: "an appliance that says it is a module",
    caughtBy: ["info.get"],
    mangle: () =>
      rewrite((type, payload) => {
        if (type !== MessageType.Intermediate || payload[0] !== 1 || payload[1] !== 0x81) return undefined;
        const told = payload.slice();
        told.set([0x40, 0x04], 7);
        return told;
      }),
  },
  "ignores-override": {
    text: "sheds under the customer's override",
    caughtBy: ["basic.override"],
    mangle: () =>
      rewrite((type, [op, arg]) =>
        type === MessageType.Basic && op === BasicOp.State && (arg === 11 || arg === 12)
          ? Uint8Array.of(0x13, 2)
          : undefined,
      ),
  },
  "dies-of-reboot": {
    text: "App ACK to Reboot, and is never seen again",
    caughtBy: ["basic.reboot"],
    mangle: () => dies(1e9, isReboot),
  },
  "refuses-shed": {
    text: "NAK 07 to Shed",
    caughtBy: ["basic.shed"],
    mangle: () =>
      answers((code, heard) => (heard[1] === 1 && heard[3] === 2 && heard[4] === BasicOp.Shed ? 7 : code)),
  },
};

/** Faults that only a module can have. */
const ofModules: Readonly<Record<string, Planted>> = {
  "wrong-reply": {
    text: "App ACKs name another opcode than the one said",
    caughtBy: ["module.override"],
    mangle: () =>
      rewrite((type, [op]) =>
        type === MessageType.Basic && op === BasicOp.AppAck ? Uint8Array.of(0x03, 0x07) : undefined,
      ),
  },
  "no-app-ack": {
    text: "no reply to what the appliance says",
    caughtBy: ["module.override", "module.wake"],
    mangle: () => rewrite((type, payload) => (isReply(type, payload) ? null : undefined)),
  },
  "dies-of-reboot": {
    text: "App ACK to Reboot, and is never seen again",
    caughtBy: ["module.reboot"],
    mangle: () => dies(1e9, isReboot),
  },
  "never-begins": {
    text: "answers everything and asks nothing",
    caughtBy: ["module.starts", "module.asks-state"],
    mangle: () => rewrite((type, payload) => (isReply(type, payload) ? undefined : null)),
  },
  "tells-comm-status-once": {
    text: "tells the outside comm status when asked alone",
    caughtBy: ["module.comm-status"],
    mangle: () => {
      let wokenMs = -1e9;
      return {
        heard(bytes, nowMs) {
          const frame = parseFrame(bytes);
          if (!isFault(frame) && frame.type === MessageType.Basic && frame.payload[0] === BasicOp.Wake)
            wokenMs = nowMs;
          return {};
        },
        out(bytes, _isLinkAnswer, nowMs) {
          const frame = parseFrame(bytes);
          const isStatus =
            !isFault(frame) && frame.type === MessageType.Basic && frame.payload[0] === BasicOp.OutsideComm;
          return isStatus && nowMs - wokenMs > 10_000 ? [] : same(bytes);
        },
      };
    },
  },
  "ignores-wake": {
    text: "App ACK to Wake, and nothing is told again",
    caughtBy: ["module.refresh"],
    mangle: () =>
      rewrite((type, [op]) => (type === MessageType.Basic && op === BasicOp.OutsideComm ? null : undefined)),
  },
  "forgets-end-shed": {
    text: "sends a Shed of 8 s and never its end",
    caughtBy: ["module.end-shed"],
    mangle: () => {
      let shed = false;
      return rewrite((type, [op]) => {
        if (type !== MessageType.Basic) return undefined;
        if (op === BasicOp.EndShed) return null;
        if (op !== BasicOp.OutsideComm || shed) return undefined;
        shed = true;
        return Uint8Array.of(BasicOp.Shed, 2);
      });
    },
  },
  "never-retries": {
    text: "sends nothing again that was not acknowledged",
    caughtBy: ["send.retry"],
    isAdvice: true,
    mangle: () => {
      let last = "";
      let lastMs = -1e9;
      return {
        out(bytes, isLinkAnswer, nowMs) {
          if (isLinkAnswer) return same(bytes);
          const isAgain = String(bytes) === last && nowMs - lastMs < 12_000;
          last = String(bytes);
          lastMs = nowMs;
          return isAgain ? [] : same(bytes);
        },
      };
    },
  },
  "reserved-comm-status": {
    text: "tells the reserved outside comm status 7",
    caughtBy: ["frames.values"],
    mangle: () =>
      rewrite((type, [op]) =>
        type === MessageType.Basic && op === BasicOp.OutsideComm ? Uint8Array.of(0x0e, 7) : undefined,
      ),
  },
  "appliance-as-module": {
    text: "a module that says it is a charger",
    caughtBy: ["module.info"],
    mangle: () =>
      rewrite((type, payload) => {
        if (type !== MessageType.Intermediate || payload[0] !== 1 || payload[1] !== 0x81) return undefined;
        const told = payload.slice();
        told.set([0x11, 0x02], 7);
        return told;
      }),
  },
  "ignores-our-limit": {
    text: "sends 100 bytes to an appliance that takes 64",
    caughtBy: ["payload.respected"],
    mangle: () =>
      rewrite((type, payload) => {
        if (type !== MessageType.Intermediate || (payload[1]! & 0x80) !== 0) return undefined;
        const long = new Uint8Array(100);
        long.set(payload);
        return long;
      }),
  },
  "plays-the-appliance": {
    text: "a module that tells an operational state",
    caughtBy: ["frames.direction"],
    mangle: () =>
      rewrite((type, [op]) =>
        type === MessageType.Basic && op === BasicOp.OutsideComm ? Uint8Array.of(0x13, 1) : undefined,
      ),
  },
};

/** Every broken peer; `profile` is the charger that the broken chargers are made of. */
export function brokenPeers(profile: Profile): readonly BrokenPeer[] {
  const peers: BrokenPeer[] = [];
  for (const [name, planted] of Object.entries({ ...common, ...ofAppliances })) {
    const { fault, line, mangle, ...rest } = planted as Planted & { readonly fault?: string };
    peers.push({
      name,
      role: "ucm",
      ...rest,
      make: () => sgdPeer({ profile, fault: fault ?? line, mangle: mangle?.() }),
    });
  }
  for (const [name, planted] of Object.entries({ ...common, ...ofModules })) {
    const { line, mangle, ...rest } = planted;
    peers.push({ name, role: "sgd", ...rest, make: () => ucmPeer({ fault: line, mangle: mangle?.() }) });
  }
  return peers;
}
