/** Temperature offset, set point and present temperature (sections 5.7 to 5.9). */
import type {
  PresentTemperature,
  SetPoint,
  TemperatureMessage,
  TemperatureOffset,
} from "./intermediate-message.js";
import { type GroupOf, I16, I8, type LayoutOf, U16, U8 } from "./layout.js";
import { defaultSettings } from "./settings.js";

const offset: GroupOf<TemperatureOffset> = { least: 2, fields: { offset: I8, units: U8 } };

const setPoint: GroupOf<SetPoint> = {
  least: 3,
  fields: { deviceType: U16, units: U8, setPoint1: I16, setPoint2: I16 },
};

const temperature: GroupOf<PresentTemperature> = {
  least: 3,
  fields: { deviceType: U16, units: U8, raw: I16 },
};

export const temperatureLayouts: readonly LayoutOf<TemperatureMessage>[] = [
  { name: "GetTemperatureOffset", op: 0x0302, least: 0, fields: {} },
  { name: "SetTemperatureOffset", op: 0x0302, least: 1, fields: { offset } },
  { name: "TemperatureOffsetReply", op: 0x0382, least: 1, fields: { responseCode: U8, offset } },
  { name: "GetSetPoint", op: 0x0303, least: 0, fields: {} },
  { name: "SetSetPoint", op: 0x0303, least: 1, fields: { setPoint } },
  { name: "SetPointReply", op: 0x0383, least: 1, fields: { responseCode: U8, setPoint } },
  { name: "GetPresentTemperature", op: 0x0304, least: 0, fields: {} },
  {
    name: "PresentTemperatureReply",
    op: 0x0384,
    least: 1,
    whole: true,
    fields: { responseCode: U8, temperature },
  },
];

/** The offset in degrees of its units: sources disagree on its sign, see the settings. */
export function offsetDegrees(value: TemperatureOffset, settings = defaultSettings): number {
  return settings.temperatureOffsetSigned ? value.offset : value.offset & 0xff;
}

/** The present temperature in degrees of its units: sources disagree on its scale, see the settings. */
export function presentDegrees(value: PresentTemperature, settings = defaultSettings): number {
  const scale = settings.presentTemperatureScale;
  const hundredths =
    scale === "hundredths" || (scale === "auto" && Math.abs(value.raw) > settings.wholeDegreesLimit);
  return hundredths ? value.raw / 100 : value.raw;
}
