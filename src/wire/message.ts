/**
 * CTA-2045 bytes to messages and back. This folder guarantees: `parse…` never throws, whatever the bytes;
 * every opcode, known or not, survives as a value; what is parsed is emitted again byte for byte; trailing
 * bytes are a fault. One file a family; Intermediate messages are tables (layout.ts) that one reader and one
 * writer follow. payload.ts puts the families together; `…-words`, describe.ts and fields.ts say messages in
 * words, decode.ts and encode.ts as JSON: a device that shows nothing leaves these out. What the sources leave
 * open is in settings.ts and nowhere else.
 *
 * Basic and data-link messages are two bytes, so a message is just those two, and the meaning of the second
 * is asked for when somebody wants it (`durationSeconds(arg)`). Intermediate messages have fields.
 *
 * Source of layouts and numbers: docs/protocol/cta2045.md, with the confidence of each.
 */

import type { FurtherIntermediateMessage } from "./intermediate-message.js";

/** Message types (the first two bytes of a frame). */
export const MessageType = {
  Basic: 0x0801,
  Intermediate: 0x0802,
  DataLink: 0x0803,
  Commissioning: 0x0804,
} as const;

/** opcode1 of Basic DR (section 4). */
export const BasicOp = {
  Shed: 0x01,
  EndShed: 0x02,
  AppAck: 0x03,
  AppNak: 0x04,
  PowerLevel: 0x06,
  PresentPrice: 0x07,
  NextPrice: 0x08,
  PriceTimeRemaining: 0x09,
  CriticalPeak: 0x0a,
  GridEmergency: 0x0b,
  GridGuidance: 0x0c,
  OutsideComm: 0x0e,
  CustomerOverride: 0x11,
  QueryState: 0x12,
  State: 0x13,
  Sleep: 0x14,
  Wake: 0x15,
  TimeSync: 0x16,
  LoadUp: 0x17,
  PendingEventTime: 0x18,
  PendingEventType: 0x19,
  Reboot: 0x1a,
} as const;

/** opcode1 of the data-link family (section 6). */
export const DataLinkOp = {
  PowerMode: 0x16,
  BitRate: 0x17,
  QueryMaxPayload: 0x18,
  MaxPayload: 0x19,
  GetSlot: 0x1a,
  Slot: 0x1b,
  GetSlots: 0x1c,
  Slots: 0x1d,
  ToSlot: 0x1e,
} as const;

/** Reasons of an application NAK (section 4, opcode 04). */
export const AppNakReason = {
  None: 0,
  Opcode1Unsupported: 1,
  Opcode2Invalid: 2,
  Busy: 3,
  LengthInvalid: 4,
  CustomerOverride: 5,
} as const;

/** Link NAK codes (section 2.3). */
export const NakCode = {
  NoReason: 0,
  InvalidByte: 1,
  InvalidLength: 2,
  Checksum: 3,
  Reserved: 4,
  Timeout: 5,
  UnsupportedType: 6,
  NotSupported: 7,
} as const;

export interface BasicMessage {
  readonly family: "basic";
  /** opcode1, 0–255; names in {@link BasicOp}. */
  readonly op: number;
  /** opcode2, 0–255. */
  readonly arg: number;
}

export interface DataLinkMessage {
  readonly family: "data-link";
  readonly op: number;
  readonly arg: number;
}

/** "Do you support this type?": a frame without payload. */
export interface TypeQuery {
  readonly family: "type-query";
  readonly type: number;
}

/** Commissioning, pass-through, vendor and unknown types: carried, not understood. */
export interface RawMessage {
  readonly family: "raw";
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The answer to GetInformation (section 5.1); optional fields can only be missing from the end. */
export interface DeviceInformation {
  readonly version: string;
  readonly vendorId: number;
  readonly deviceType: number;
  readonly revision: number;
  readonly capabilities: number;
  /** The byte at offset 15, kept only where it is not 0 as it should be. */
  readonly reserved?: number;
  readonly model?: string;
  readonly serial?: string;
  /** Year − 2000, month 0–11, day, major, minor. */
  readonly firmware?: {
    readonly year: number;
    readonly month: number;
    readonly day: number;
    readonly major: number;
    readonly minor: number;
  };
  /** Where the bytes end inside model, serial or firmware: what there is of it, one byte a character. */
  readonly tail?: string;
}

/** One record of a commodity reply or set (section 5.11). 48-bit values; undefined = FFFFFFFFFFFF, not supported. */
export interface CommodityRecord {
  /** 0–127; 0 electricity consumed, 6/7 storage, 8 rated maximum consumption. */
  readonly code: number;
  readonly measured: boolean;
  /** Watts for code 0 and 8. */
  readonly rate: number | undefined;
  /** Watt hours for code 0, 6, 7. */
  readonly cumulative: number | undefined;
}

/**
 * Intermediate DR (section 5). `name` is the field's name for it; requests and replies are separate members.
 * What has no member is {@link IntermediateOther}.
 */
export type IntermediateMessage =
  | { readonly family: "intermediate"; readonly name: "GetInformation" }
  | {
      readonly family: "intermediate";
      readonly name: "InformationReply";
      readonly responseCode: number;
      /** undefined where the response code is an error and nothing follows. */
      readonly information: DeviceInformation | undefined;
    }
  | {
      readonly family: "intermediate";
      readonly name: "GetCommodity";
      /** undefined: all. */
      readonly code: number | undefined;
    }
  | {
      readonly family: "intermediate";
      readonly name: "CommodityReply";
      readonly responseCode: number;
      readonly records: readonly CommodityRecord[];
    }
  | {
      readonly family: "intermediate";
      readonly name: "SetCommodity";
      readonly records: readonly CommodityRecord[];
    }
  | FurtherIntermediateMessage
  | IntermediateOther;

/** An Intermediate message whose opcodes this code does not know: kept whole. */
export interface IntermediateOther {
  readonly family: "intermediate";
  readonly name: "Other";
  readonly opcode1: number;
  readonly opcode2: number;
  /** What follows the two opcodes. */
  readonly rest: Uint8Array;
}

export type WireMessage = BasicMessage | IntermediateMessage | DataLinkMessage | TypeQuery | RawMessage;
