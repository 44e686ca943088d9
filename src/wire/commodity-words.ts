/** Commodity codes in words, with the units of their two numbers (section 5.11). */

import { pick } from "./words.js";

/** By code: name, unit of the rate, unit of the amount; "" = unused. */
const commodities = `electricity consumed,W,Wh
electricity produced,W,Wh
natural gas,ft³/h,ft³
water,gal/h,gal
natural gas,m³/h,m³
water,l/h,l
total storage capacity,,Wh
present storage capacity,,Wh
rated consumption,W,
rated production,W,
Advanced Load Up total capacity,,Wh
Advanced Load Up present capacity,,Wh`;

export interface CommodityWords {
  readonly name: string;
  /** "" where the number is unused or the commodity unknown. */
  readonly rateUnit: string;
  readonly cumulativeUnit: string;
}

/** Name and units of a commodity code (without bit 7). */
export function commodityWords(code: number): CommodityWords {
  const entry = pick(commodities, code) ?? `commodity ${code},,`;
  const [name, rateUnit, cumulativeUnit] = entry.split(",") as [string, string, string];
  return { name, rateUnit, cumulativeUnit };
}
