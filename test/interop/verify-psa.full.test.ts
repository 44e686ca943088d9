// The check of signatures of the chip (drivers/slots/verify.c) over a real Mbed TLS: what Node has signed, and what it has not.
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";

const root = resolve(import.meta.dirname, "../..");
const program = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "slots.h"
static size_t hex(const char* text, unsigned char* into) {
  size_t n = 0;
  for (unsigned one; text[2 * n] && sscanf(text + 2 * n, "%2x", &one) == 1; n++) into[n] = (unsigned char)one;
  return n;
}
int main(int argc, char** argv) {
  static unsigned char spki[4096], der[4096], text[4096];
  for (int i = 1; i + 2 < argc; i += 3) {
    size_t a = hex(argv[i], spki), b = hex(argv[i + 1], der), c = hex(argv[i + 2], text);
    printf("%d", ucmSlotsVerify(spki, a, der, b, text, c));
  }
  return 0;
}
`;

describeNeeding(["gcc"], "a signature of the release keys on the chip", () => {
  it("is judged as Node judges it", { timeout: 600_000 }, () => {
    if (!existsSync("/usr/include/psa/crypto.h"))
      throw new Error("needs PSA's headers: apt-get install libmbedtls-dev");
    const folder = mkdtempSync(join(tmpdir(), "openucm-psa-"));
    try {
      writeFileSync(join(folder, "main.c"), program);
      const includes = ["drivers/slots", "drivers/fake-idf/include"].flatMap((path) => [
        "-I",
        resolve(root, path),
      ]);
      const sanitize = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
      const made = spawnSync(
        "gcc",
        [
          ...sanitize,
          ...includes,
          "-o",
          join(folder, "verify"),
          join(folder, "main.c"),
          resolve(root, "drivers/slots/verify.c"),
          "-lmbedcrypto",
        ],
        { encoding: "utf8" },
      );
      expect(made.stderr).toBe("");
      const args: string[] = [];
      let wanted = "";
      const ask = (good: boolean, ...bytes: Buffer[]): void => {
        args.push(...bytes.map((one) => one.toString("hex")));
        wanted += good ? "1" : "0";
      };
      for (let i = 0; i < 40; i++) {
        const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        const spki = publicKey.export({ type: "spki", format: "der" });
        const text = Buffer.from(`signed ${i}`);
        const der = sign("sha256", text, privateKey);
        ask(true, spki, der, text);
        ask(false, spki, der, Buffer.from(`signed ${i}!`));
        const bad = Buffer.from(der);
        bad[bad.length - 1]! ^= 1;
        ask(false, spki, bad, text);
        ask(false, spki, Buffer.concat([der, Buffer.of(0)]), text);
        const off = Buffer.from(spki);
        off[40]! ^= 1;
        ask(false, off, der, text);
      }
      const p384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
      ask(
        false,
        p384.publicKey.export({ type: "spki", format: "der" }),
        sign("sha256", Buffer.from("x"), p384.privateKey),
        Buffer.from("x"),
      );
      const run = spawnSync(join(folder, "verify"), args, {
        encoding: "utf8",
        env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" },
      });
      expect(run.stderr).toBe("");
      expect(run.stdout).toBe(wanted);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
