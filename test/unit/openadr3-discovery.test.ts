// TXT records of _openadr3._tcp.
import { describe, expect, it } from "vitest";
import { readLocalVtn } from "../../src/openadr3/discovery.js";

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
