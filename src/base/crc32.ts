/** CRC-32 of half a byte, polynomial EDB88320 (reflected); as signed numbers, which the engine keeps as integers. */
const ofHalves: readonly number[] = [
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, -0x12477ce0,
  -0x0ff06cbc, -0x29295c18, -0x349e4c74, -0x649b3d50, -0x792c2d2c, -0x5ff51d88, -0x42420de4,
];

/**
 * CRC-32 as in ISO 3309 and zlib, 0 to 2^32 - 1. `before`: that of the bytes before these, so that a long text needs to be
 * nowhere as a whole.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) {
    crc = ofHalves[(crc ^ byte) & 15]! ^ (crc >>> 4);
    crc = ofHalves[(crc ^ (byte >> 4)) & 15]! ^ (crc >>> 4);
  }
  return ~crc >>> 0;
}
