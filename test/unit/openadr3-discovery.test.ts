// TXT records of _openadr3._tcp, and a VEN that finds its server by them.
import { describe, expect, it } from "vitest";
import { DISCOVER } from "../../src/openadr3/config.js";
import { readLocalVtn } from "../../src/openadr3/discovery.js";
import type { MdnsEvent } from "../../src/ports/mdns.js";
import { BASE, Bench } from "./openadr3-harness.js";

describe("a local VTN", () => {
  it("is read from its TXT record", () => {
    const txt = [
      "version=3.1.0",
      "base_path=/openadr3/3.1.0",
      "local_url=https://vtn.local:8443",
      "program_names=tou, cpp",
      "requires_auth=false",
    ];
    expect(readLocalVtn(txt, "ignored", 1)).toEqual({
      version: "3.1.0",
      url: "https://vtn.local:8443/openadr3/3.1.0",
      programNames: ["tou", "cpp"],
      requiresAuth: false,
    });
  });

  it("does with what there is: host and port, keys in capitals, the first of two, a path said twice", () => {
    expect(readLocalVtn(["VERSION=3.1.1", "version=2"], "box.local", 443)).toEqual({
      version: "3.1.1",
      url: "https://box.local:443",
      programNames: [],
      requiresAuth: true,
    });
    expect(readLocalVtn(["local_url=https://a/b/", "base_path=b"], "", 0)?.url).toBe("https://a/b");
  });

  it.each([
    [["version=3.0.1", "local_url=https://a"]],
    [["version=2.0b", "local_url=https://a"]],
    [["local_url=http://vtn.local/x"]],
    [["local_url=javascript:alert(1)"]],
    [[]],
    [["=", "", "version", "x".repeat(5000)]],
  ])("is refused where it cannot be used: %j", (txt) => {
    expect(readLocalVtn(txt, "", 0)).toBeUndefined();
  });
});

describe("a VEN that looks for its server", () => {
  const found = (more: Partial<MdnsEvent> = {}): MdnsEvent => ({
    service: "_openadr3._tcp",
    instance: "home",
    host: "vtn.test",
    port: 443,
    txt: ["version=3.1.0", "base_path=/openadr3/3.1.0", `local_url=${BASE}`],
    ...more,
  });
  const bench = (config = {}) => new Bench({ url: DISCOVER, ...config }, { mdns: true }).start();

  it("browses, takes the first that fits, and stops looking", () => {
    const one = bench();
    expect(one.browsing).toBe(1);
    expect(one.ven.status()).toMatchObject({
      state: "connecting",
      text: expect.stringContaining("local") as string,
    });
    expect(one.asked).toEqual([]);
    one.ven.onMdns(found({ txt: ["version=3.0.1", "local_url=https://old.test"] }), one.now);
    one.ven.onMdns(found({ service: "_ipp._tcp" }), one.now);
    expect(one.asked).toEqual([]);
    one.ven.onMdns(found(), one.now);
    one.run(1000);
    expect(one.ven.status().state).toBe("online");
    expect(one.browsing).toBe(0);
    expect(one.asked[0]).toBe("GET /auth/server");
    one.ven.onMdns(found({ txt: ["local_url=https://late.test"] }), one.now);
    one.run(120_000);
    expect(one.ven.status().state).toBe("online");
  });

  it("passes over a server with other programmes, and one that wants a login that it has not", () => {
    const picky = bench({ programs: ["tou"] });
    picky.ven.onMdns(found({ txt: [`local_url=${BASE}`, "program_names=cpp"] }), picky.now);
    expect(picky.browsing).toBe(1);
    expect(picky.logs.join()).toContain('no programme "tou"');
    const nobody = bench({ clientId: undefined, clientSecret: undefined });
    nobody.ven.onMdns(found(), nobody.now);
    expect(nobody.logs.join()).toContain("wants a login");
    nobody.ven.onMdns(found({ txt: [`local_url=${BASE}`, "requires_auth=false"] }), nobody.now);
    nobody.run(1000);
    expect(nobody.ven.status().state).toBe("online");
  });

  it("looks anew where the server has gone, tries the old address all the same, and takes another", () => {
    const one = bench();
    const gone = "https://gone.test/openadr3/3.1.0";
    one.instead = (request) => (request.url.startsWith(gone) ? "unreachable" : undefined);
    one.ven.onMdns(found({ txt: [`local_url=${gone}`] }), one.now);
    one.run(900_000);
    expect(one.ven.status()).toMatchObject({ state: "failing", fault: "unreachable" });
    expect(one.browsing).toBe(1);
    // Its own address once more, from a cache: not at once again. Then another one.
    one.ven.onMdns(found({ txt: [`local_url=${gone}`] }), one.now);
    one.ven.onMdns(found(), one.now);
    one.run(5000);
    expect(one.ven.status()).toMatchObject({ state: "online", fault: "" });
    expect(one.browsing).toBe(0);
  });

  it("says so where the device cannot look", () => {
    const mute = new Bench({ url: DISCOVER }).start();
    expect(mute.ven.status()).toMatchObject({ state: "stopped", fault: "openadr3-no-mdns" });
  });
});
