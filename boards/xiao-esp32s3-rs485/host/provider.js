// Seeed XIAO ESP32-S3 with the XIAO RS485 expansion board: where the CTA-2045 line and the other pins are. Source: README.md. Never run on hardware.
const device = {
  rs485: {
    port: 1,
    transmit: 5,
    receive: 6,
    driveEnable: 3,
  },
  pin: { led: 21, button: 0 },
  lamp: { pin: 21, activeLow: true },
};

export default device;
