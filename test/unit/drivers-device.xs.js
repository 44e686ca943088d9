// Runs in XS behind drivers/fake-idf: the real glue of drivers/device. Its functions come before this file.
/* global asked, restart, reason, feed, freeBytes, now, reset, advance, startedBy, bitten, failNext, print */
function equal(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: ${got}, not ${wanted}`);
}
reset();

// Why it starts. Numbers: esp_reset_reason_t → device.d.ts.
const SW = 3;
for (const [idf, wanted, what] of [
  [1, 0, "power"],
  [2, 0, "pin"],
  [4, 2, "panic"],
  [15, 2, "lock-up"],
  [5, 1, "interrupt watchdog"],
  [6, 1, "task watchdog"],
  [7, 1, "other watchdog"],
  [9, 3, "brown-out"],
  [14, 3, "glitch"],
  [SW, 2, "a restart that nobody has asked for: XS gave up"],
]) {
  startedBy(idf);
  equal(reason(), wanted, what);
}
for (const why of [4, 5, 6]) {
  asked(why);
  restart();
  equal(reason(), why, `asked ${why}`);
  // It was asked for once: the next one was not.
  equal(reason(), 2, "again");
}
for (const why of [0, 3, 7, 255]) {
  asked(why);
  restart();
  equal(reason(), 2, `nonsense ${why}`);
}
// Asked for, but power went first.
asked(4);
startedBy(1);
equal(reason(), 0, "power before the restart");

// The watchdog does not count before the first call; a subscription that fails is tried again.
advance(60_000);
equal(bitten(), false, "before the first");
failNext("esp_task_wdt_add_user");
feed();
advance(60_000);
equal(bitten(), false, "not subscribed");
for (let i = 0; i < 5; i++) {
  feed();
  advance(9000);
}
equal(bitten(), false, "fed");
advance(2000);
equal(bitten(), true, "starved");

// What is left falls while something is held, and garbage does not count.
const before = freeBytes();
const held = new Uint8Array(200_000);
const after = freeBytes();
if (!(after <= before && before - after < 400_000)) throw new Error(`free: ${before}, then ${after}`);
for (let i = 0; i < 40; i++) new Uint8Array(100_000);
if (!(freeBytes() > 0)) throw new Error("garbage counts");
held[0] = 1;
if (!(now() > 100_000)) throw new Error("clock");
print("device ok");
