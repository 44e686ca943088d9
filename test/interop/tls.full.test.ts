/**
 * The TLS driver of the chip against `openssl s_server`, Node and liars, with the Mbed TLS of Debian (2.28) and with 3.6 of a
 * package where it can be had. Sanitizers are on. 4.x: see docs/tls.md.
 */
import { existsSync } from "node:fs";
import { describe } from "vitest";
import { describeWith, programPath } from "../support/needs.js";
import { tlsCases } from "../support/tls-cases.js";
import { debian, type Library, mbedTls36 } from "../support/tls-rig.js";

const tools = ["gcc", "make", "openssl"].filter((name) => programPath(name) === undefined);
const library = existsSync("/usr/include/mbedtls/ssl.h") ? [] : ["libmbedtls-dev"];
const missing = [...tools, ...library];
const reason =
  missing.length === 0
    ? undefined
    : `needs ${missing.join(", ")}; add with: apt-get install ${missing.join(" ")}`;

describeWith(reason, "TLS with the system's Mbed TLS", () => {
  tlsCases(debian, false);
});

const newer = tools.length === 0 ? mbedTls36() : `needs ${tools.join(", ")}`;
if (typeof newer === "string") {
  console.warn(`skipped: TLS with Mbed TLS 3.6: ${newer}`);
  // Named to tools/test.ts: no package of Debian 12 brings 3.6.
  describe.skip(`TLS with Mbed TLS 3.6: ${newer}`, () => tlsCases(debian, true));
} else {
  describe("TLS with Mbed TLS 3.6", () => {
    tlsCases(newer, true);
  });
}

/** Any other library that is built already: OPENUCM_MBEDTLS={"name":…,"include":[…],"libs":[…]}. */
const given = process.env["OPENUCM_MBEDTLS"];
if (given !== undefined)
  describe("TLS with the Mbed TLS that OPENUCM_MBEDTLS names", () => {
    tlsCases(JSON.parse(given) as Library, true);
  });
