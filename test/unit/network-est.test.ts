// PKCS #7 certs-only of EST, and garbage; openssl judges in test/interop/identity.full.test.ts.
import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../host-sim/pki/certificates.js";
import { fromBase64, toBase64 } from "../../src/base/base64.js";
import { chainOfEst, estBody } from "../../src/network/est.js";
import { certsOnly } from "../../host-sim/pki/certs-only.js";

const now = 1_800_000_000_000;
const wish = { notBeforeUtcMs: now, notAfterUtcMs: now + 1e9 };

describe("answers of EST", () => {
  let pems: string[];
  beforeAll(async () => {
    const ca = await makeCertificate({ commonName: "CA", role: "ca", ...wish });
    const leaf = await makeCertificate({ commonName: "leaf", role: "client", ...wish }, ca);
    pems = [leaf.cert, ca.cert];
  });

  it("reads what it is given, in its order, wherever its lines end", () => {
    const body = certsOnly(pems);
    const chain = chainOfEst(body)!;
    const parts = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(parts.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual(
      pems.map((pem) => new X509Certificate(pem).fingerprint256),
    );
    expect(chainOfEst(body.replace(/(.{20})/g, "$1\r\n "))).toBe(chain);
  });

  it("refuses what is cut, more than four, none, and anything else, and never throws", () => {
    const der = Buffer.from(certsOnly(pems), "base64");
    for (let at = 0; at < der.length; at += 7)
      expect(chainOfEst(der.subarray(0, at).toString("base64"))).toBeUndefined();
    expect(chainOfEst(certsOnly([]))).toBeUndefined();
    expect(chainOfEst(certsOnly(Array<string>(5).fill(pems[0]!)))).toBeUndefined();
    for (const text of [
      "",
      "<html>",
      "====",
      "MAA=",
      "A",
      toBase64(new Uint8Array([0x30, 0x84, 1, 1, 1, 1])),
    ])
      expect(chainOfEst(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
        const bad = Buffer.from(der);
        bad[at] = value;
        const chain = chainOfEst(bad.toString("base64"));
        expect(chain === undefined || chain.startsWith("-----BEGIN CERTIFICATE-----\n")).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("makes a request's body of PEM, and base64 goes both ways", () => {
    expect(
      estBody("-----BEGIN CERTIFICATE REQUEST-----\nQUJD\nREVG\n-----END CERTIFICATE REQUEST-----\n"),
    ).toBe("QUJD\nREVG");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(toBase64(bytes)).toBe(text);
        expect(fromBase64(text)).toEqual(bytes);
      }),
    );
    for (const bad of ["A", "AA=A", "A===", "AAAA=", "AA!A"]) expect(fromBase64(bad)).toBeUndefined();
  });
});
