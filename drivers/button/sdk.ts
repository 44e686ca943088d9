/** The pins of button and lamp by the Moddable SDK's ECMA-419 digital IO, a WS2812 lamp by drivers/ws2812. **Never run on hardware.** */
import Digital from "embedded:io/digital";
import { open, set } from "ucm/ws2812";
import { Button, LampPin } from "./button.js";

/** Closes to ground; the chip's own resistor pulls it up. */
export function buttonOn(pin: number): Button {
  const digital = new Digital({ pin, mode: Digital.InputPullUp });
  return new Button(() => digital.read() === 0);
}

export function lampOn(pin: number, activeLow: boolean): LampPin {
  const digital = new Digital({ pin, mode: Digital.Output, initialValue: activeLow ? 1 : 0 });
  return new LampPin((on) => {
    digital.write(on === activeLow ? 0 : 1);
    return true;
  });
}

/** White, not so bright that it is a nuisance in a dark garage. */
const BRIGHT = 24;

/** A WS2812; undefined where the chip has none to give, and then there is no lamp. */
export function colourLampOn(pin: number): LampPin | undefined {
  if (open(pin) !== 0) return undefined;
  return new LampPin((on) => set(on ? BRIGHT : 0, on ? BRIGHT : 0, on ? BRIGHT : 0) === 0);
}
