/** GetInformation and its answer (section 5.1). Either side may ask. */
import type { DeviceInformation, IntermediateMessage } from "./message.js";
import { type GroupOf, type LayoutOf, SPARE, TEXT16, TEXT2, U16, U32, U8 } from "./layout.js";

const firmware: GroupOf<NonNullable<DeviceInformation["firmware"]>> = {
  least: 5,
  fields: { year: U8, month: U8, day: U8, major: U8, minor: U8 },
};

/**
 * 16, 32, 48 or 53 bytes of payload, opcodes and response code included. Appliances exist that cut the last
 * member short (PYCTA: 51 bytes), so every length from 16 to 53 is taken.
 */
const information: GroupOf<DeviceInformation> = {
  least: 6,
  cut: true,
  fields: {
    version: TEXT2,
    vendorId: U16,
    deviceType: U16,
    revision: U16,
    capabilities: U32,
    reserved: SPARE,
    model: TEXT16,
    serial: TEXT16,
    firmware,
  },
};

type InformationMessage = Extract<IntermediateMessage, { name: "GetInformation" | "InformationReply" }>;

export const informationLayouts: readonly LayoutOf<InformationMessage>[] = [
  { name: "GetInformation", op: 0x0101, least: 0, fields: {} },
  {
    name: "InformationReply",
    op: 0x0181,
    least: 1,
    whole: true,
    fields: { responseCode: U8, information },
  },
];

/** Bits of {@link DeviceInformation.capabilities} (section 5.3). Price stream (7) is named, never claimed. */
export const Capability = {
  Cycling: 0,
  Tier: 1,
  Price: 2,
  TemperatureOffset: 3,
  ContinuousPower: 4,
  DiscretePower: 5,
  AdvancedLoadUp: 6,
  PriceStream: 7,
  EfficiencyLevel: 8,
} as const;

/** True where the bitmap has the bit of {@link Capability}. */
export function hasCapability(capabilities: number, bit: number): boolean {
  return Math.floor(capabilities / 2 ** bit) % 2 === 1;
}

export function getInformation(): InformationMessage {
  return { family: "intermediate", name: "GetInformation" };
}

/** The answer; without `information` it refuses with `responseCode` (section 5, response codes). */
export function informationReply(
  information: DeviceInformation | undefined,
  responseCode = 0,
): InformationMessage {
  return { family: "intermediate", name: "InformationReply", responseCode, information };
}
