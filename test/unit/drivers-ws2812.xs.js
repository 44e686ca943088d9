// Runs in XS behind drivers/fake-idf: the real glue of the WS2812 lamp. Its functions come before this file.
/* global open, set, reset, advance, failNext, lampAt, rmtHeld, print */
function equal(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: ${got}, not ${wanted}`);
}
const good = (error, what) => equal(error, 0, what);
const bad = (error, what) => equal(error === 0, false, what);
reset();
bad(set(1, 2, 3), "before it is open");
// What fails holds nothing, and can be tried again.
for (const call of ["rmt_new_tx_channel", "rmt_new_bytes_encoder", "rmt_enable"]) {
  failNext(call);
  bad(open(4), call);
  equal(rmtHeld(), 0, `held after ${call}`);
}
good(open(4), "open");
equal(rmtHeld(), 2, "held");
bad(open(4), "twice");
equal(lampAt(4), -1, "dark until it is told");

// Green comes first on the wire, the highest bit first.
good(set(0x12, 0xff, 0x80), "set");
advance(1);
equal(lampAt(4), 0xff1280, "colour");
equal(lampAt(4), -1, "once");
// While it is being sent nothing is changed, nobody waits, and the lamp is as it was told first.
good(set(1, 2, 3), "the first");
bad(set(4, 5, 6), "at once behind it");
advance(1);
equal(lampAt(4), 0x020103, "the first alone");
failNext("rmt_transmit");
bad(set(7, 7, 7), "transmit");
good(set(0, 0, 0), "off");
advance(1);
equal(lampAt(4), 0, "off");
print("ws2812 ok");
