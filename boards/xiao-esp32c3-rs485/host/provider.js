// Seeed XIAO ESP32-C3 with the XIAO RS485 expansion board: where the CTA-2045 line and the other pins are. Source: README.md. Never run on hardware.
const device = {
  rs485: {
    port: 1,
    transmit: 6,
    receive: 7,
    driveEnable: 4,
  },
  pin: { button: 9 },
};

export default device;
