/** Demand response modes of AS/NZS 4755 (S4 638–677, requirements 1.2), as asks of the grid. */
import { fault, type Fault } from "../base/fault.js";
import type { Ask } from "./event.js";

export interface DrmAsk {
  readonly ask: Ask;
  /** DRM 0 is the disconnection device by its own definition. */
  readonly emergencyPermitted: boolean;
}

/**
 * The ask for a demand response mode. `reference` is the declared reference value: `installer` (fixed) or
 * `dynamic` (mean of the 5 min before); DRM 2 and 3 are power levels of 50 and 75 % of it and never Critical
 * Peak, which chargers answer with a quarter. DRM 5–8 want generation: fault `drm-unsupported`.
 */
export function drmAsk(
  mode: number,
  reference: "installer" | "dynamic" | "rated" = "installer",
): DrmAsk | Fault {
  const limit = (value: number): DrmAsk => ({
    ask: { ask: "limit", unit: "fraction", value, reference },
    emergencyPermitted: false,
  });
  switch (mode) {
    case 0:
      return { ask: { ask: "emergency" }, emergencyPermitted: true };
    case 1:
      return limit(0);
    case 2:
      return limit(0.5);
    case 3:
      return limit(0.75);
    case 4:
      return { ask: { ask: "load-up" }, emergencyPermitted: false };
    case 5:
    case 6:
    case 7:
    case 8:
      return fault(
        "server",
        "drm-unsupported",
        `DRM ${mode} asks for generation; a SAE J1772 charger cannot discharge a car.`,
      );
    default:
      return fault("server", "drm-unknown", `There is no DRM ${mode}; there are DRM 0 to 8.`);
  }
}
