/** Commodities: reading and setting meter values (section 5.11). */
import type { CommodityRecord, IntermediateMessage } from "./message.js";
import { type GroupOf, type LayoutOf, LOW7, TOP_BIT, U48, U8 } from "./layout.js";

/** Commodity codes; gas and water (2–5) are named in commodity-words. */
export const Commodity = {
  ElectricityConsumed: 0,
  ElectricityProduced: 1,
  /** What the storage can take in all. */
  TotalStorage: 6,
  /** What it could still take now. */
  PresentStorage: 7,
  RatedConsumption: 8,
  RatedProduction: 9,
  LoadUpTotal: 10,
  LoadUpPresent: 11,
} as const;

type CommodityMessage = Extract<
  IntermediateMessage,
  { name: "GetCommodity" | "CommodityReply" | "SetCommodity" }
>;

const records: GroupOf<CommodityRecord> = {
  list: true,
  least: 4,
  fields: { code: LOW7, measured: TOP_BIT, rate: U48, cumulative: U48 },
};

export const commodityLayouts: readonly LayoutOf<CommodityMessage>[] = [
  { name: "GetCommodity", op: 0x0600, least: 0, fields: { code: U8 } },
  { name: "SetCommodity", op: 0x0600, least: 1, fields: { records } },
  { name: "CommodityReply", op: 0x0680, least: 1, fields: { responseCode: U8, records } },
];

/** Asks for all commodities, or for one. */
export function getCommodity(code?: number): CommodityMessage {
  return { family: "intermediate", name: "GetCommodity", code };
}

export function commodityReply(records: readonly CommodityRecord[], responseCode = 0): CommodityMessage {
  return { family: "intermediate", name: "CommodityReply", responseCode, records };
}

export function setCommodity(records: readonly CommodityRecord[]): CommodityMessage {
  return { family: "intermediate", name: "SetCommodity", records };
}

/** The record of one code, undefined where the reply has none. */
export function commodityOf(records: readonly CommodityRecord[], code: number): CommodityRecord | undefined {
  return records.find((record) => record.code === code);
}
