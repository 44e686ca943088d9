/** What the appliance's Intermediate replies say, as facts. */
import { isFault } from "../base/fault.js";
import { Commodity, commodityOf } from "../wire/commodity.js";
import { parseIntermediate } from "../wire/intermediate.js";
import type { Facts } from "./facts.js";

/** Reads a GetInformation reply; an unreadable or refusing one changes nothing. */
export function readIdentity(reply: Uint8Array, facts: Facts): void {
  const message = parseIntermediate(reply);
  if (isFault(message) || message.name !== "InformationReply" || message.information === undefined) return;
  const { version, vendorId, deviceType, revision, capabilities, model, serial, firmware } =
    message.information;
  facts.identity = {
    deviceType,
    vendorId,
    revision,
    capabilities,
    version,
    model: model ?? "",
    serial: serial ?? "",
    firmware: firmware === undefined ? "" : `${firmware.major}.${firmware.minor}`,
  };
  facts.changed = true;
}

/** Reads a commodity reply; gives its response code, undefined where it is unreadable. */
export function readMeters(reply: Uint8Array, facts: Facts, nowMs: number): number | undefined {
  const message = parseIntermediate(reply);
  if (isFault(message) || message.name !== "CommodityReply") return undefined;
  if (message.responseCode !== 0) return message.responseCode;
  const consumed = commodityOf(message.records, Commodity.ElectricityConsumed);
  if (consumed !== undefined) {
    facts.powerW = consumed.rate;
    facts.energyWh = consumed.cumulative;
    facts.measured = consumed.measured;
  }
  const { TotalStorage, PresentStorage, RatedConsumption } = Commodity;
  facts.ratedW = commodityOf(message.records, RatedConsumption)?.rate ?? facts.ratedW;
  facts.storageTotalWh = commodityOf(message.records, TotalStorage)?.cumulative ?? facts.storageTotalWh;
  facts.storagePresentWh = commodityOf(message.records, PresentStorage)?.cumulative ?? facts.storagePresentWh;
  facts.meteredAtMs = nowMs;
  facts.changed = true;
  return 0;
}
