/** Device types of GetInformation (section 5.2): runs of consecutive codes, so that the table stays small. */

import { pick } from "./words.js";

/** First code of a run, then the names in it. */
const runs: readonly (readonly [number, string])[] = [
  [
    0x0000,
    `unspecified
water heater gas
water heater electric
water heater heat pump
central AC heat pump
central AC fossil heat
central AC resistance heat
central AC only
evaporative cooler
baseboard electric heat
window AC
portable electric heater
clothes washer
clothes dryer gas
clothes dryer electric
refrigerator/freezer
freezer
dishwasher
microwave oven
oven electric
oven gas
cooktop electric
cooktop gas
stove electric
stove gas
dehumidifier
central AC heat pump variable
water heater heat pump variable
water heater phase change`,
  ],
  [0x0020, "fan"],
  [
    0x0030,
    `pool pump single speed
pool pump variable
hot tub`,
  ],
  [
    0x0040,
    `irrigation pump
clothes dryer heat pump`,
  ],
  [
    0x1000,
    `electric vehicle
hybrid vehicle`,
  ],
  [
    0x1100,
    `EVSE
EVSE Level 1
EVSE Level 2
EVSE Level 3`,
  ],
  [0x2000, "in-premises display"],
  [
    0x4000,
    `UCM wireless
UCM PLC
UCM wired
UCM 802.15.4
UCM 802.11
UCM 802.16
UCM pager
UCM FM
UCM Ethernet
UCM coax
UCM telephone
UCM IEEE 1901
UCM IEEE 1901.2
UCM G.hn
UCM G.hnem
UCM cellular
UCM AMI wireless
UCM AMI PLC`,
  ],
  [0x5000, "energy manager"],
  [0x6000, "gateway"],
  [
    0x7000,
    `distributed energy resource
solar inverter
battery storage`,
  ],
];

/** Device types of chargers. */
export const DeviceType = {
  ElectricVehicle: 0x1000,
  Evse: 0x1100,
  EvseLevel1: 0x1101,
  EvseLevel2: 0x1102,
  EvseLevel3: 0x1103,
  Ucm80211: 0x4004,
} as const;

/** Name of a device type; never empty. */
export function deviceTypeName(type: number): string {
  if (type >= 0x8000) return "manufacturer's";
  for (const [first, names] of runs) {
    const name = pick(names, type - first);
    if (name !== undefined) return name;
  }
  return "unknown";
}
