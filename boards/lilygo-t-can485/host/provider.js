// LilyGO T-CAN485: where the CTA-2045 line and the other pins are. Source: README.md. Never run on hardware.
const device = {
  rs485: {
    port: 2,
    transmit: 22,
    receive: 21,
  },
  pin: { led: 4, button: 0, receiveEnable: 17, lineEnable: 19, boost: 16 },
  lamp: { pin: 4, activeLow: false, ws2812: true },
};

export default device;
