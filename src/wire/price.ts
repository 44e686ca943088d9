/** Energy price in both widths, and tier (sections 5.5 and 5.6). */
import type { EnergyPrice, PriceMessage, PriceTier } from "./intermediate-message.js";
import { type GroupOf, type LayoutOf, U16, U32, U8 } from "./layout.js";
import { defaultSettings } from "./settings.js";

/** Set is 9, 13 or 17 bytes, a reply one more. */
const wide: GroupOf<EnergyPrice> = {
  wide: true,
  least: 3,
  fields: { price: U32, currency: U16, digits: U8, expirySeconds: U32, nextPrice: U32 },
};

/** 7, 11 or 15, in the same order: no length belongs to both forms. */
const narrow: GroupOf<EnergyPrice> = {
  wide: false,
  least: 3,
  fields: { price: U16, currency: U16, digits: U8, expirySeconds: U32, nextPrice: U32 },
};

const tier: GroupOf<PriceTier> = {
  least: 1,
  fields: { tier: U8, expirySeconds: U32, nextTier: U8 },
};

export const priceLayouts: readonly LayoutOf<PriceMessage>[] = [
  { name: "GetPrice", op: 0x0300, least: 0, fields: {} },
  { name: "SetPrice", op: 0x0300, least: 1, fields: { price: wide } },
  { name: "SetPrice", op: 0x0300, least: 1, fields: { price: narrow } },
  { name: "PriceReply", op: 0x0380, least: 1, fields: { responseCode: U8, price: wide } },
  { name: "PriceReply", op: 0x0380, least: 1, fields: { responseCode: U8, price: narrow } },
  { name: "GetTier", op: 0x0301, least: 0, fields: {} },
  { name: "SetTier", op: 0x0301, least: 1, fields: { tier } },
  { name: "TierReply", op: 0x0381, least: 1, fields: { responseCode: U8, tier } },
];

/** Sets the price in the width of the settings. */
export function setPrice(price: Omit<EnergyPrice, "wide">, settings = defaultSettings): PriceMessage {
  return { family: "intermediate", name: "SetPrice", price: { ...price, wide: settings.widePrice } };
}

export function setTier(tier: PriceTier): PriceMessage {
  return { family: "intermediate", name: "SetTier", tier };
}
