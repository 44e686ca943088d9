// Runs in XS behind drivers/fake-idf: the real glue of the RS-485 line. `Rs485` comes before this file.
/* global Rs485, reset, advance, receive, maskUart, sent, sentAt, watchDrive, undriven, level, rate, held, trouble, collect, failNext, print */
const hexOf = (bytes) => Array.from(bytes, (b) => (b < 16 ? "0" : "") + b.toString(16)).join("");
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (b) => Number.parseInt(b, 16));
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
const told = (line) => {
  const out = [];
  for (let e = line.poll(); e; e = line.poll()) {
    const { payload, bytes, ...rest } = e;
    out.push({ ...rest, ...((payload ?? bytes) ? { hex: hexOf(payload ?? bytes) } : {}) });
  }
  return out;
};
const shed = "080100020100" + "";
/** With the check bytes of the standard. */
function frame(hex) {
  const bytes = [...bytesOf(hex)];
  let c1 = 0xaa;
  let c2 = 0;
  for (const b of bytes) c2 = (c2 + (c1 = (c1 + b) % 255)) % 255;
  const msb = 255 - ((c1 + c2) % 255);
  return Uint8Array.from([...bytes, msb, 255 - ((c1 + msb) % 255)]);
}
const settings = { bitsPerSecond: 19200, maxPayload: 64, bitRates: 1, types: [0x0801, 0x0802, 0x0803] };
const pins = { port: 1, transmit: 22, receive: 21, driveEnable: 17 };
const open = (more) => {
  reset();
  const line = new Rs485({ ...pins, ...more });
  watchDrive(17, more?.driveInverted ? 0 : 1);
  line.configure(settings);
  return line;
};

{
  const line = open();
  equal(level(17), 0, "DE rests");
  receive(frame(shed));
  advance(8 * 0.52083 + 1);
  const arrived = line.nowMs;
  equal(told(line), [{ ev: "frame", type: 0x0801, endMs: 4, answer: -1, hex: "0100" }], "frame");
  advance(100);
  const at = sentAt();
  if (at - 4.17 < 40 || at - 4.17 > 60) throw new Error(`the ACK left after ${at - 4.17} ms`);
  equal(sent(), "0600", "ACK");
  equal(undriven(), 0, "DE while sending");
  equal(level(17), 0, "DE after sending");
  const [answered] = told(line);
  equal([answered.ev, answered.code], ["answered", -1], "answered");
  if (answered.atMs < Math.floor(at + 1) || answered.atMs > at + 3)
    throw new Error(`told ${answered.atMs}, left from ${at}`);
  equal(arrived <= line.nowMs, true, "clock");

  // A frame longer than the FIFO of 128 bytes leaves whole, DE held until its last bit.
  const long = frame("0802012c" + "a5".repeat(300));
  advance(200);
  line.sendFrame(long);
  advance(100);
  equal(level(17), 1, "DE in the middle");
  advance(150);
  equal(sent(), hexOf(long), "long frame");
  equal([undriven(), level(17)], [0, 0], "DE around the long frame");
  equal(
    told(line).map(({ ev }) => ev),
    ["sent"],
    "sent",
  );

  // What comes in while we drive is our own noise.
  advance(200);
  line.sendFrame(frame(shed));
  advance(0.1);
  receive([1, 2, 3]);
  advance(20);
  equal([sent(), told(line).map(({ ev }) => ev)], [hexOf(frame(shed)), ["sent"]], "muted");
  receive(bytesOf("0600"));
  advance(60);
  equal(
    told(line).map(({ ev, code }) => [ev, code]),
    [["answer", -1]],
    "answer",
  );

  // Trouble of the UART is counted; a bit rate is set when nothing is being sent.
  trouble(1 << 3);
  receive([0x55]);
  advance(40);
  trouble(1 << 4);
  receive([0x55]);
  advance(40);
  equal(line.lost, { events: 0, frames: 0, overruns: 1, lineErrors: 1 }, "lost");
  told(line);
  advance(200);
  line.sendFrame(frame(shed));
  line.configure({ ...settings, bitsPerSecond: 115200 });
  equal(rate(), 19200, "rate while sending");
  advance(10);
  told(line);
  equal(rate(), 115200, "rate after sending");
  throws(() => line.sendFrame(new Uint8Array(519)), "too long", "519 bytes");
  throws(() => new Rs485(pins), "in use", "twice");
  throws(
    () => line.configure({ ...settings, types: Array.from({ length: 17 }, (_, i) => i) }),
    "too many",
    "17 types",
  );
  collect();
  line.close();
  line.close();
  throws(() => line.poll(), "closed", "closed");
  throws(() => line.nowMs, "closed", "closed");
  equal(held(), 0, "let go");
}

{
  // 10 s without anybody taking events: what has no room is lost, counted, and not acknowledged.
  const line = open({ driveInverted: true });
  equal(level(17), 1, "DE rests high where it is inverted");
  let acks = 0;
  for (let i = 0; i < 60; i++) {
    receive(frame("0802003c" + "11".repeat(60)));
    advance(150);
    acks += sent() === "0600" ? 1 : 0;
  }
  const { frames } = line.lost;
  const got = told(line).filter(({ ev }) => ev === "frame").length;
  equal([got + frames, acks], [60, got], "frames, and their ACKs");
  if (frames === 0) throw new Error("nothing was lost");
  equal(undriven(), 0, "DE inverted");
  receive(frame(shed));
  advance(100);
  equal(
    told(line).map(({ ev }) => ev),
    ["frame", "answered"],
    "and on it goes",
  );
  line.close();
}

for (const lateMs of [1.2, 2.5, 6, 12]) {
  // An interrupt that comes late finds several bytes at once: parts of a frame, a whole one, with what follows it.
  const line = open();
  receive(frame(shed));
  advance(0.3);
  maskUart(lateMs);
  advance(100);
  equal(sent(), "0600", `ACK, ${lateMs} ms late`);
  receive([...bytesOf("0600"), ...frame("080200020304")]);
  maskUart(lateMs);
  advance(100);
  equal(
    told(line).map(({ ev, hex }) => hex ?? ev),
    ["0100", "answered", "answer", "0304", "answered"],
    `late by ${lateMs} ms`,
  );
  line.close();
}

{
  // With an echo our bytes come back and are taken off.
  const line = open({ echo: true, driveEnable: -1 });
  line.sendFrame(frame(shed));
  advance(0.2);
  receive(frame(shed));
  advance(60);
  equal(
    told(line).map(({ ev }) => ev),
    ["sent"],
    "echo",
  );
  line.close();
}

// Whatever fails at the start, nothing stays held.
for (const call of [
  "uart_param_config",
  "uart_set_pin",
  "esp_intr_alloc",
  "gpio_set_direction",
  "gptimer_new_timer",
  "gptimer_enable",
  "gptimer_start",
]) {
  reset();
  failNext(call);
  throws(() => new Rs485(pins), "UART failed", call);
  equal(held(), 0, call);
}
reset();
throws(() => new Rs485({ ...pins, port: 9 }), "UART failed", "port");

// Forgotten without close: the collector closes it.
(() => {
  open();
})();
collect();
collect();
equal(held(), 0, "collected");
print("rs485 ok");
