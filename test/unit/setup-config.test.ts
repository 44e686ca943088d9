import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/setup/config.js";
import { configurationSpec } from "../../src/setup/fields.js";
import { jsonSchemaOf } from "../../src/setup/spec.js";

const good = {
  upstreams: [
    { id: "demo", protocol: "openadr2b", url: "https://localhost:1/", venName: "module", ca: "ca.pem" },
  ],
  region: "uk",
};

function faultsOf(document: unknown): string[] {
  const result = readConfig(document);
  return "upstreams" in result ? [] : result.map((one) => `${one.fault}: ${one.text}`);
}

describe("configuration", () => {
  it("fills in defaults of the region", () => {
    const config = readConfig(good);
    if (!("upstreams" in config)) throw new Error("refused");
    expect(config.charger).toEqual({ ratedA: 32, installerMaxA: 32, phases: 1, voltage: 230 });
    expect(config.randomDelay).toEqual({ enabled: true, maxSeconds: 600 });
    expect(config.timeZone).toBe("UTC0");
  });

  it.each([
    [{ ...good, regoin: "uk" }, /unknown-field: regoin is not a field; known are upstreams/],
    [
      { upstreams: [{ ...good.upstreams[0], pollSeconds: "10" }] },
      /upstreams\[0\]\.pollSeconds must be a number/,
    ],
    [
      { upstreams: [{ ...good.upstreams[0], pollSeconds: 0 }] },
      /upstreams\[0\]\.pollSeconds must be from 1 to 86400; it is 0/,
    ],
    [
      { upstreams: [{ protocol: "openadr2b", url: "https://x.example" }] },
      /missing-field: upstreams\[0\]\.id is missing/,
    ],
    [{ ...good, region: "fr" }, /region must be one of "us", "au", "uk"; it is "fr"/],
    [{ upstreams: [good.upstreams[0], good.upstreams[0]] }, /upstreams\[1\]\.id "demo" is used twice/],
    [{ upstreams: [{ ...good.upstreams[0], cert: "a.pem" }] }, /upstreams\[0\]\.key is missing/],
    [
      { upstreams: [{ ...good.upstreams[0], protocol: "ocpp16" }] },
      /upstreams\[0\]\.url must start with wss/,
    ],
    [
      { upstreams: [{ ...good.upstreams[0], url: "ftp://x.example" }] },
      /upstreams\[0\]\.url must be an address that starts with/,
    ],
    // Short and wrong is told as wrong.
    [
      { upstreams: [{ ...good.upstreams[0], est: "http://b/" }] },
      /upstreams\[0\]\.est must be an address that starts with https:\/\/; it is "http:\/\/b\/"/,
    ],
    [{ upstreams: [{ ...good.upstreams[0], est: "https://" }] }, /\.est must be at least 12 characters long/],
    [{ upstreams: [{ ...good.upstreams[0], url: "" }] }, /\.url must be a text that is not empty/],
    [
      { upstreams: [{ ...good.upstreams[0], venName: undefined, protocol: "openadr2b" }] },
      /venName must be a text/,
    ],
    [
      { ...good, charger: { installerMaxA: 40, ratedA: 32 } },
      /charger\.installerMaxA \(40\) must not exceed/,
    ],
    [[], /the configuration must be an object/],
    [null, /the configuration must be an object/],
  ])("refuses by name: %j", (document, message) => {
    expect(faultsOf(document).join("\n")).toMatch(message);
  });

  it("has a published schema that is the one made from the table", () => {
    const published = JSON.parse(
      readFileSync(new URL("../../docs/config.schema.json", import.meta.url), "utf8"),
    ) as object;
    expect(published).toMatchObject(jsonSchemaOf(configurationSpec));
  });

  it("agrees with a JSON Schema validator on every single-field mistake", () => {
    const validate = new Ajv2020({ strict: true }).compile(jsonSchemaOf(configurationSpec));
    const wrongs: unknown[] = [
      good,
      { ...good, x: 1 },
      { upstreams: {} },
      {},
      [],
      3,
      { ...good, timeZone: "" },
    ];
    for (const name of Object.keys(good.upstreams[0]!)) {
      for (const value of [null, 5, "", "x".repeat(300), [], {}]) {
        wrongs.push({ upstreams: [{ ...good.upstreams[0], [name]: value }] });
      }
    }
    for (const document of wrongs) {
      const ours =
        faultsOf(document).filter((text) => /must be|unknown-field|is missing: /.test(text)).length === 0;
      expect([document, validate(document)]).toEqual([document, ours]);
    }
  });
});
