/**
 * A module's label for the factory: the texts that its firmware reads from NVS (drivers/device/label.ts), as the CSV of
 * Espressif's nvs_partition_gen, which can encrypt, and as a whole partition without encryption. The format of the partition is
 * ESP-IDF's, version 2 ("NVS Library", ESP-IDF programming guide): pages of 4096 bytes, entries of 32.
 */
import { LABEL_SPACE } from "../../drivers/device/label.js";

/** Size of the partition `nvs` on every board, boards/NAME/sdkconfig/partitions.csv. */
export const NVS_BYTES = 0x6000;

const PAGE = 4096;
const ENTRY = 32;
const HEAD = 64;
const ACTIVE = 0xffff_fffe;
const VERSION_2 = 0xfe;
const U8 = 0x01;
const TEXT = 0x21;
/** An entry that is no part of a chunked blob. */
const NO_CHUNK = 0xff;

/** The texts of a label by their names in NVS; empty ones are left out. */
export function labelTexts(serial: string, secret: string, estSecret = ""): Readonly<Record<string, string>> {
  return { serial, secret, ...(estSecret === "" ? {} : { est: estSecret }) };
}

/** For `nvs_partition_gen.py generate` or `encrypt`. */
export function nvsCsv(texts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(texts).map(([name, text]) => `${name},data,string,${text}`);
  return `key,type,encoding,value\n${LABEL_SPACE},namespace,,\n${lines.join("\n")}\n`;
}

/** The same as a partition that `esptool.py write_flash` puts into place; it replaces whatever NVS held. */
export function nvsImage(texts: Readonly<Record<string, string>>, bytes = NVS_BYTES): Buffer {
  const image = Buffer.alloc(bytes, 0xff);
  image.writeUInt32LE(ACTIVE, 0);
  image.writeUInt32LE(0, 4);
  image[8] = VERSION_2;
  image.writeUInt32LE(crc(image.subarray(4, 28)), 28);
  let entry = 0;
  const take = (count: number): number => {
    const at = HEAD + entry * ENTRY;
    if (at + count * ENTRY > PAGE) throw new Error("the label does not fit one page of NVS");
    for (let i = entry; i < entry + count; i++) image[32 + (i >> 2)]! &= ~(1 << ((i & 3) * 2));
    entry += count;
    return at;
  };
  const head = (at: number, space: number, type: number, span: number, key: string): void => {
    image.set([space, type, span, NO_CHUNK], at);
    image.fill(0, at + 8, at + 24);
    image.write(key, at + 8, 15, "latin1");
  };
  const seal = (at: number): void => {
    const covered = Buffer.concat([image.subarray(at, at + 4), image.subarray(at + 8, at + ENTRY)]);
    image.writeUInt32LE(crc(covered), at + 4);
  };
  const space = take(1);
  head(space, 0, U8, 1, LABEL_SPACE);
  image[space + 24] = 1;
  seal(space);
  for (const [key, text] of Object.entries(texts)) {
    const data = Buffer.from(`${text}\0`, "utf8");
    const span = 1 + Math.ceil(data.length / ENTRY);
    const at = take(span);
    head(at, 1, TEXT, span, key);
    image.writeUInt16LE(data.length, at + 24);
    image.writeUInt32LE(crc(data), at + 28);
    seal(at);
    data.copy(image, at + ENTRY);
  }
  return image;
}

/** CRC-32 (IEEE 802.3) that begins with 0 instead of all ones: what ESP-IDF's `esp_rom_crc32_le(0xffffffff, …)` comes to. */
function crc(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
  }
  return ~value >>> 0;
}
