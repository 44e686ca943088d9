/** The pins of button and lamp by the Moddable SDK's ECMA-419 digital IO. **Never run on hardware.** */
import Digital from "embedded:io/digital";
import { Button, LampPin } from "./button.js";

/** Closes to ground; the chip's own resistor pulls it up. */
export function buttonOn(pin: number): Button {
  const digital = new Digital({ pin, mode: Digital.InputPullUp });
  return new Button(() => digital.read() === 0);
}

export function lampOn(pin: number, activeLow: boolean): LampPin {
  const digital = new Digital({ pin, mode: Digital.Output, initialValue: activeLow ? 1 : 0 });
  return new LampPin((on) => digital.write(on === activeLow ? 0 : 1));
}
