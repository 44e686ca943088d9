import { existsSync } from "node:fs";
import { describe } from "vitest";
import { describeWith, programPath } from "./needs.js";
import { debian, type Library, mbedTls36 } from "./tls-rig.js";

/**
 * Cases with every Mbed TLS at hand: the system's 2.28, 3.6 where cargo brings it, and one that is built already and named by
 * OPENUCM_MBEDTLS={"name":…,"include":[…],"libs":[…]}. `tls13`: it speaks TLS 1.3, which
 * 2.28 does not. `lacking`: packages that the cases need beside gcc, make and openssl, and that are not there.
 */
export function withEachMbedTls(
  name: string,
  cases: (library: Library, tls13: boolean) => void,
  lacking: readonly string[] = [],
): void {
  const programs = ["gcc", "make", "openssl"].filter((program) => programPath(program) === undefined);
  const tools = [...programs, ...lacking];
  const missing = [...tools, ...(existsSync("/usr/include/mbedtls/ssl.h") ? [] : ["libmbedtls-dev"])];
  const reason =
    missing.length === 0
      ? undefined
      : `needs ${missing.join(", ")}; add with: apt-get install ${missing.join(" ")}`;
  describeWith(reason, `${name}, Mbed TLS of the system`, () => cases(debian, false));

  const newer = tools.length === 0 ? mbedTls36() : `needs ${tools.join(", ")}`;
  if (typeof newer === "string") {
    const skipped = `${name}, Mbed TLS 3.6: ${newer}`;
    console.warn(`skipped: ${skipped}`);
    // Named to tools/test.ts: no package of Debian 12 brings 3.6.
    describe.skip(skipped, () => cases(debian, true));
  } else describe(`${name}, Mbed TLS 3.6`, () => cases(newer, true));

  const given = process.env["OPENUCM_MBEDTLS"];
  if (given !== undefined)
    describe(`${name}, the Mbed TLS that OPENUCM_MBEDTLS names`, () =>
      cases(JSON.parse(given) as Library, true));
}
