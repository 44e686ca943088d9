/** The hardened variant of each board: complete, consistent, and what the guide says it is. */
import { mkdtempSync, readdirSync, readFileSync, existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const { hardenedBoard } = (await import(
  new URL("../../tools/firmware/hardened.mjs", import.meta.url).href
)) as {
  hardenedBoard(root: string, name: string, into: string): string;
};
const boards = readdirSync(join(root, "boards")).filter((name) =>
  existsSync(join(root, "boards", name, "manifest.json")),
);

/** The last value of each key, as the SDK's merge takes it. */
function configOf(path: string): Map<string, string> {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  for (const line of lines) expect(line).toMatch(/^CONFIG_[A-Z0-9_]+=\S+$/);
  return new Map(lines.map((line) => line.split("=") as [string, string]));
}

describe.each(boards)("%s --hardened", (name) => {
  const into = mkdtempSync(join(tmpdir(), "openucm-board-"));
  const folder = hardenedBoard(root, name, into);
  const config = configOf(join(folder, "sdkconfig/sdkconfig.defaults"));
  const table = readFileSync(join(folder, "sdkconfig/partitions.csv"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(",").map((cell) => cell.trim()));
  rmSync(into, { recursive: true });

  it("has secure boot, encrypted flash and values, no download, roll-back and its counter", () => {
    for (const key of [
      "SECURE_BOOT_V2_ENABLED",
      "SECURE_FLASH_ENCRYPTION_MODE_RELEASE",
      "NVS_ENCRYPTION",
      "SECURE_DISABLE_ROM_DL_MODE",
      "BOOTLOADER_APP_ROLLBACK_ENABLE",
      "BOOTLOADER_APP_ANTI_ROLLBACK",
    ])
      expect(config.get(`CONFIG_${key}`), key).toBe("y");
    // Keys are signed with elsewhere; the build never sees one.
    expect(config.get("CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES")).toBe("n");
    expect(config.get("CONFIG_SECURE_BOOT_ALLOW_JTAG") ?? "n").toBe("n");
    expect(config.get("CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS")).toBe("n");
    // It would revoke a key for one failed reading of the boot loader, for ever.
    expect(config.get("CONFIG_SECURE_BOOT_ENABLE_AGGRESSIVE_KEY_REVOKE") ?? "n").toBe("n");
  });

  it("keeps what the board had, and its slots where they were", () => {
    const plain = configOf(join(root, "boards", name, "sdkconfig/sdkconfig.defaults"));
    for (const [key, value] of plain) expect(config.get(key), key).toBe(value);
    const before = readFileSync(join(root, "boards", name, "sdkconfig/partitions.csv"), "utf8").split("\n");
    for (const line of before.filter((one) => /^(ota_|storage|journal)/.test(one)))
      expect(table.map((cells) => cells.join(", "))).toContain(line);
  });

  it("has a partition table without overlaps, behind its own offset, two equal slots, keys for the values", () => {
    const tableAt = Number(config.get("CONFIG_PARTITION_TABLE_OFFSET"));
    let end = tableAt + 0x1000;
    for (const [label, type, , at, size] of table) {
      expect(Number(at), label).toBeGreaterThanOrEqual(end);
      if (type === "app") expect(Number(at) % 0x1_0000, label).toBe(0);
      end = Number(at) + Number(size);
    }
    const mb = config.get("CONFIG_ESPTOOLPY_FLASHSIZE_8MB") === "y" ? 8 : 4;
    expect(end).toBeLessThanOrEqual(mb * 0x10_0000);
    const slots = table.filter(([, type]) => type === "app").map(([, , , , size]) => size);
    expect(slots).toHaveLength(2);
    expect(slots[0]).toBe(slots[1]);
    expect(table.find(([label]) => label === "nvs_key")?.[5]).toBe("encrypted");
  });
});
