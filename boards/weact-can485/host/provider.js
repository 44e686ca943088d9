// WeAct CAN485 DevBoard V1: where the CTA-2045 line and the other pins are. Source: README.md. Never run on hardware.
const device = {
  rs485: {
    port: 2,
    transmit: 22,
    receive: 21,
    driveEnable: 17,
  },
  pin: { led: 4, button: 0 },
  lamp: { pin: 4, activeLow: false, ws2812: true },
};

export default device;
