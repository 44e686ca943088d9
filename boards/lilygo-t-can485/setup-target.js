// The transceiver's supply and enables, before the line is opened: 5 V boost, not shut down, receiver by direction.
import Digital from "pins/digital";
import device from "device";

export default function (done) {
  const { boost, lineEnable, receiveEnable } = device.pin;
  for (const pin of [boost, lineEnable, receiveEnable]) new Digital({ pin, mode: Digital.Output }).write(1);
  done?.();
}
