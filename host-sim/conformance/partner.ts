/** How we answer what the peer says by itself, in either part: an appliance or a module without a mind. */
import { commodityReply } from "../../src/wire/commodity.js";
import { basic, OpState } from "../../src/wire/basic.js";
import { informationReply } from "../../src/wire/information.js";
import {
  AppNakReason,
  BasicOp,
  DataLinkOp,
  type DeviceInformation,
  MessageType,
  NakCode,
} from "../../src/wire/message.js";
import { payloadOf } from "../../src/wire/payload.js";
import type { Role } from "./plan.js";
import type { Entry, Manners } from "./probe.js";

/** Our link answer comes so long after a frame, our reply so long after that. */
const ACK_MS = 60;
const REPLY_MS = 150;

/** Payload limits that we tell: an appliance tells what one in the field does, a module what Level 2 asks for. */
export const TOLD_CODE: Readonly<Record<Role, number>> = { sgd: 5, ucm: 7 };

const TYPES: readonly number[] = [MessageType.Basic, MessageType.Intermediate, MessageType.DataLink];

/** The charger that we play: 32 A at 240 V. */
const FULL_W = 7680;

/** An appliance (`sgd`) or a module (`ucm`) that does as it should and no more. */
export class Partner implements Manners {
  /** Operational state of the appliance that we play. */
  state: number = OpState.RunningNormal;

  constructor(
    private readonly role: Role,
    private readonly onToldLimit: (bytes: number) => void,
  ) {}

  answer(heard: Entry): { readonly code: number; readonly delayMs: number } {
    return { code: this.code(heard), delayMs: ACK_MS };
  }

  reply({
    type,
    payload,
    to,
  }: Entry): { readonly payload: Uint8Array; readonly delayMs: number } | undefined {
    // What answers a request of ours is owed nothing more.
    if (to !== undefined) return undefined;
    const said = this.said(type, payload);
    return said === undefined ? undefined : { payload: said, delayMs: REPLY_MS };
  }

  private code({ type, payload }: Entry): number {
    if (!TYPES.includes(type)) return NakCode.UnsupportedType;
    if (payload.length === 0) return -1;
    if (type === MessageType.Intermediate) {
      const isKnown = (payload[1]! & 0x80) !== 0 || this.said(type, payload) !== undefined;
      return isKnown ? -1 : NakCode.NotSupported;
    }
    if (payload.length !== 2) return NakCode.InvalidLength;
    if (type === MessageType.Basic) return -1;
    const op = payload[0]!;
    return op === DataLinkOp.QueryMaxPayload || op === DataLinkOp.MaxPayload ? -1 : NakCode.NotSupported;
  }

  private said(type: number, payload: Uint8Array): Uint8Array | undefined {
    const [op, arg] = payload;
    if (op === undefined || arg === undefined) return undefined;
    if (type === MessageType.Basic) return this.role === "sgd" ? this.applianceSays(op) : moduleSays(op);
    if (type === MessageType.DataLink) {
      if (op !== DataLinkOp.QueryMaxPayload) return undefined;
      const code = TOLD_CODE[this.role];
      this.onToldLimit(2 << code);
      return Uint8Array.of(DataLinkOp.MaxPayload, code);
    }
    if (type !== MessageType.Intermediate) return undefined;
    if (op === 0x01 && arg === 0x01 && payload.length === 2) {
      return payloadOf(informationReply(identity(this.role))).payload;
    }
    if (op === 0x06 && arg === 0x00 && this.role === "sgd" && payload.length <= 3) {
      const rate = this.state === OpState.RunningCurtailed ? FULL_W / 2 : FULL_W;
      return payloadOf(
        commodityReply([
          { code: 0, measured: true, rate, cumulative: 1000 },
          { code: 8, measured: false, rate: FULL_W, cumulative: undefined },
        ]),
      ).payload;
    }
    return undefined;
  }

  private applianceSays(op: number): Uint8Array | undefined {
    switch (op) {
      case BasicOp.AppAck:
      case BasicOp.AppNak:
      case BasicOp.State:
        return undefined;
      case BasicOp.QueryState:
        return Uint8Array.of(BasicOp.State, this.state);
      case BasicOp.Shed:
      case BasicOp.CriticalPeak:
        this.state = OpState.RunningCurtailed;
        break;
      case BasicOp.GridEmergency:
        this.state = OpState.IdleCurtailed;
        break;
      case BasicOp.LoadUp:
        this.state = OpState.RunningHeightened;
        break;
      case BasicOp.PowerLevel:
        this.state = OpState.VariableFollowing;
        break;
      case BasicOp.EndShed:
        this.state = OpState.RunningNormal;
        break;
      case BasicOp.Sleep:
      case BasicOp.Wake:
        return Uint8Array.of(BasicOp.AppNak, AppNakReason.Opcode1Unsupported);
    }
    return appAckOrNak(op);
  }
}

function appAckOrNak(op: number): Uint8Array {
  const known = (Object.values(BasicOp) as number[]).includes(op);
  const { op: op1, arg: op2 } = known
    ? basic(BasicOp.AppAck, op)
    : basic(BasicOp.AppNak, AppNakReason.Opcode1Unsupported);
  return Uint8Array.of(op1, op2);
}

function moduleSays(op: number): Uint8Array | undefined {
  switch (op) {
    case BasicOp.AppAck:
    case BasicOp.AppNak:
      return undefined;
    case BasicOp.State:
    case BasicOp.Sleep:
    case BasicOp.Wake:
    case BasicOp.CustomerOverride:
    case BasicOp.Reboot:
      return Uint8Array.of(BasicOp.AppAck, op);
    default:
      return Uint8Array.of(BasicOp.AppNak, AppNakReason.Opcode1Unsupported);
  }
}

function identity(role: Role): DeviceInformation {
  return {
    version: "B",
    vendorId: 0,
    deviceType: role === "sgd" ? 0x1102 : 0x4004,
    revision: 1,
    capabilities: 0,
    model: "Conformance",
    serial: "",
    firmware: { year: 26, month: 0, day: 1, major: 0, minor: 1 },
  };
}
