// ESP32 DevKit with an SP3485 (3.3 V) module: where the CTA-2045 line and the other pins are. Source: README.md. Never run on hardware.
const device = {
  rs485: {
    port: 2,
    transmit: 17,
    receive: 16,
    driveEnable: 4,
  },
  pin: { led: 2, button: 0 },
  lamp: { pin: 2, activeLow: false },
};

export default device;
