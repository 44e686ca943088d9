// Runs in XS behind drivers/fake-idf: the real glue of the flash. `UcmFlash` comes before this file.
/* global UcmFlash, reset, failNext, stuckBit, held, collect, print */
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
const at = (flash, from, count) => {
  const bytes = new Uint8Array(count);
  flash.read(from, bytes);
  return Array.from(bytes);
};

reset();
for (const partition of ["nobody", "secret", "fixed", "odd", "ota_0", "a name that is far too long"])
  throws(() => new UcmFlash({ partition }), "", partition);
let flash = new UcmFlash({ partition: "journal" });
equal([flash.sectorBytes, flash.sectors], [4096, 4], "size");

// Blank, written, written again: bits fall and never rise.
equal(at(flash, 0, 4), [255, 255, 255, 255], "blank");
flash.program(0, Uint8Array.of(0x0f, 0xff, 0xaa));
flash.program(0, Uint8Array.of(0xf1, 0x3c, 0xff));
equal(at(flash, 0, 4), [0x01, 0x3c, 0xaa, 255], "bits fall");
// A view into a larger buffer: only its own bytes.
flash.program(100, Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
equal(at(flash, 99, 4), [255, 2, 3, 255], "a view");
const wide = new Uint8Array(6).fill(7);
flash.read(0, wide.subarray(2, 4));
equal(Array.from(wide), [7, 7, 1, 0x3c, 7, 7], "into a view");
flash.program(4096, new Uint8Array(4096));
equal(at(flash, 8190, 3), [0, 0, 255], "a whole sector");
flash.program(50, new Uint8Array(0));

// Erasing touches one sector alone.
flash.erase(1);
equal(at(flash, 4096, 3), [255, 255, 255], "erased");
equal(at(flash, 0, 2), [0x01, 0x3c], "the sector before stays");
// Another object sees the same flash; it outlives the machine's objects.
equal(at(new UcmFlash({ partition: "journal" }), 0, 1), [1], "the same flash");

// Outside, over an edge, and nonsense are refused before the IDF hears of them.
for (const where of [16384, 16383, -1, 1e9, 4294967295, 4294967296, 0.5, NaN, Infinity])
  throws(() => flash.program(where, Uint8Array.of(0, 0)), "not within", `program at ${where}`);
throws(() => flash.program(4095, Uint8Array.of(0, 0)), "not within", "over an edge");
throws(() => flash.read(16384, new Uint8Array(1)), "not within", "read behind the end");
throws(() => flash.read(-4, new Uint8Array(8)), "not within", "read before the begin");
for (const sector of [4, -1, 1.5, NaN, 1048576])
  throws(() => flash.erase(sector), "not within", `erase ${sector}`);
flash.read(16384, new Uint8Array(0));
equal(at(flash, 16380, 4), [255, 255, 255, 255], "the end");

// What fails is told, and a bit that does not fall is found.
failNext("esp_partition_read");
throws(() => flash.read(0, new Uint8Array(1)), "flash: -1", "read fails");
failNext("esp_partition_write");
throws(() => flash.program(200, Uint8Array.of(0)), "flash: -1", "program fails");
failNext("esp_partition_erase_range");
throws(() => flash.erase(2), "flash: -1", "erase fails");
stuckBit(8 * 8300 + 3);
throws(() => flash.program(8192, new Uint8Array(200)), "flash: -1", "a worn bit");
stuckBit(-1);

flash.close();
throws(() => flash.read(0, new Uint8Array(1)), "closed", "after close");
flash.close();
flash = undefined;
collect();
equal(held(), 0, "nothing is held");
print("flash ok");
