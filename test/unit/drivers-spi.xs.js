// Runs in XS behind drivers/fake-idf: the real glue of the SPI peripheral. `SpiPeripheral` comes before this file.
/* global SpiPeripheral, reset, advance, level, held, pin, clock, collect, failNext, print */
const hexOf = (bytes) => Array.from(bytes, (b) => (b < 16 ? "0" : "") + b.toString(16)).join("");
function equal(got, wanted, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
}
function throws(run, words, what) {
  try {
    run();
  } catch (error) {
    if (!`${error.message}`.includes(words)) throw new Error(`${what}: ${error.message}`, { cause: error });
    return;
  }
  throw new Error(`${what}: nothing thrown`);
}
const pins = { host: 1, clock: 14, in: 13, out: 12, select: 15, attention: 4, reset: 5 };
const told = (spi) => {
  const out = [];
  for (let e = spi.poll(); e; e = spi.poll())
    out.push(e.bytes ? `${e.ev} ${hexOf(e.bytes)}` : e.on === undefined ? e.ev : `${e.ev} ${e.on}`);
  return out;
};

reset();
let spi = new SpiPeripheral(pins);
equal(level(4), 1, "ATTENTION rests");
throws(() => new SpiPeripheral(pins), "in use", "twice");

// We send: load, ATTENTION, the appliance selects and clocks, and gets FF behind our bytes.
spi.load(Uint8Array.of(8, 1, 0, 0, 0x45, 0xb1));
spi.attention(true);
equal(level(4), 0, "ATTENTION");
throws(() => spi.load(Uint8Array.of(1)), "under way", "load while armed");
pin(15, 0);
equal(told(spi), ["select true"], "selected");
equal(clock([255, 255, 255, 255, 255, 255, 255, 255]), "0801000045b1ffff", "our bytes");
pin(15, 1);
spi.attention(false);
equal(told(spi), ["in ffffffffffffffff", "out", "select false"], "after our bytes");
equal(level(4), 1, "ATTENTION released");

// The appliance sends: SELECT falls, we pull ATTENTION, it clocks.
advance(50);
pin(15, 0);
equal(told(spi), ["select true"], "select");
spi.attention(true);
equal(clock([6, 0]), "ffff", "nothing of ours");
pin(15, 1);
equal(told(spi), ["in 0600", "select false"], "its bytes");
spi.attention(false);

// Half of ours went out: no `out`.
spi.load(Uint8Array.of(1, 2, 3, 4));
spi.attention(true);
pin(15, 0);
clock([9, 9]);
pin(15, 1);
equal(told(spi), ["select true", "in 0909", "select false"], "half");
spi.attention(false);

// Nobody comes: what was armed is taken back, and the next goes out whole.
spi.load(Uint8Array.of(1, 2));
spi.attention(true);
spi.attention(false);
spi.load(Uint8Array.of(3));
spi.attention(true);
pin(15, 0);
equal(clock([0, 0]), "03ff", "the later one");
pin(15, 1);
spi.attention(false);
equal(told(spi), ["select true", "in 0000", "out", "select false"], "the edges of SELECT are still seen");

// RESET, and more edges than there is room for.
pin(5, 0);
pin(5, 1);
equal(told(spi), ["reset true", "reset false"], "reset");
for (let i = 0; i < 40; i++) pin(5, i & 1);
equal(told(spi).length, 16, "room");
throws(() => spi.load(new Uint8Array(521)), "too long", "521 bytes");
failNext("spi_slave_queue_trans");
throws(() => spi.attention(true), "refused", "refused");
equal(level(4), 1, "no ATTENTION without a transfer");
spi.close();
spi.close();
throws(() => spi.poll(), "closed", "closed");
equal(held(), 0, "let go");

for (const call of ["spi_slave_initialize", "gpio_install_isr_service"]) {
  reset();
  failNext(call);
  throws(() => new SpiPeripheral(pins), "SPI failed", call);
  equal(held(), 0, call);
}
reset();
spi = new SpiPeripheral({ ...pins, reset: undefined });
spi = undefined;
collect();
collect();
equal(held(), 0, "collected");
print("spi ok");
