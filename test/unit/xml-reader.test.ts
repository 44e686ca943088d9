import { describe, expect, it } from "vitest";
import { XmlReader, XML_LIMITS, type XmlLimits } from "../../src/base/xml-reader.js";
import { XmlWriter, xmlEscape } from "../../src/base/xml-writer.js";
import { utf8Decode, utf8Encode } from "../../src/base/utf8.js";

/** Fault code, or what was read. */
function read(text: string | Uint8Array, limits: Partial<XmlLimits> = {}): string {
  const out: string[] = [];
  const reader = new XmlReader(
    { u: { a: 1 } },
    {
      open: (name, xml) => out.push(`<${String(name)} ${xml.attribute("", "k") ?? ""}`),
      text: (t, cut) => out.push(cut ? `${t}…` : t),
      close: (name) => out.push(`${String(name)}>`),
    },
    { ...XML_LIMITS, ...limits },
  );
  const bad = reader.push(typeof text === "string" ? utf8Encode(text) : text) ?? reader.end();
  // Once refused, always refused.
  if (bad !== undefined) expect(reader.push(utf8Encode("<x/>"))).toBe(bad);
  return bad?.fault ?? out.join(" ");
}

describe("XML reader", () => {
  it("knows names by namespace, whatever the prefix", () => {
    expect(read('<p:a xmlns:p="u" k="v"/>')).toBe("<1 v 1>");
    expect(read('<a xmlns="u" k="v">t</a>')).toBe("<1 v t 1>");
    expect(read("<a>t</a>")).toBe("<0  t 0>");
    expect(read('<constructor xmlns="__proto__"/>')).toBe("<0  0>");
  });

  it.each<[string, string, Partial<XmlLimits>, string]>([
    ["document", "<a>123456789</a>", { documentBytes: 10 }, "xml-document-too-long"],
    ["depth", "<a><a><a/></a></a>", { depth: 2 }, "xml-too-deep"],
    ["name", "<abcdefghij/>", { name: 8 }, "xml-name-too-long"],
    ["attributes", '<a b="" c="" d=""/>', { attributes: 2 }, "xml-too-many-attributes"],
    ["namespaces", '<a xmlns:b="1" xmlns:c="2" xmlns:d="3"/>', { namespaces: 4 }, "xml-too-many-namespaces"],
  ])("stops at the limit of %s", (_, text, limits, code) => {
    expect(read(text, limits)).toBe(code);
    expect(read(text)).toMatch(/^</);
  });

  it("cuts text at its limit and says so; indentation does not hide what follows", () => {
    expect(read("<a>123456789</a>", { text: 5 })).toBe("<0  12345… 0>");
    expect(read(`<a>${" ".repeat(20)}123</a>`, { text: 5 })).toMatch(/123/);
    expect(read("<a>1234😀</a>", { text: 5 })).toBe("<0  1234… 0>");
  });

  it.each([
    ["<!DOCTYPE a><a/>", "xml-doctype"],
    ['<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "xml-encoding"],
    ['<?xml version="1.1"?><a/>', "xml-version"],
    ["<a>&nbsp;</a>", "xml-malformed"],
    ["<a></b>", "xml-malformed"],
    ["<a/><a/>", "xml-malformed"],
    ["<p:a/>", "xml-malformed"],
    ["", "xml-malformed"],
  ])("refuses %j as %s", (text, code) => expect(read(text)).toBe(code));

  it.each([
    [[0x3c, 0xc0, 0x80], "overlong"],
    [[0x3c, 0xed, 0xa0, 0x80], "surrogate"],
    [[0x3c, 0xf4, 0x90, 0x80, 0x80], "too high"],
    [[0x3c, 0xff], "no lead"],
    [[0x3c, 0x61, 0x3e, 0xe2, 0x82], "cut"],
  ])("refuses %j: %s", (bytes) => expect(read(Uint8Array.from(bytes))).toBe("xml-encoding"));
});

describe("XML writer", () => {
  it("escapes what it must, and what it writes can be read", () => {
    const text = "a<b>&\"c' \u0001 é😀\ud800 ]]>";
    const xml = new XmlWriter().open("a", ' k="v"').leaf("b", text).leaf("c", 1.5).done();
    expect(xml).toContain("a&lt;b&gt;&amp;&quot;c' \ufffd é😀\ufffd ]]&gt;");
    expect(read(xml)).toBe(`<0 v <0  a<b>&"c' \ufffd é😀\ufffd ]]> 0> <0  1.5 0> 0>`);
    expect(xmlEscape("plain")).toBe("plain");
  });
});

describe("UTF-8", () => {
  it("agrees with the platform", () => {
    for (const text of ["", "abc", "é€😀\u0000\uffff", "x".repeat(200)]) {
      expect(utf8Encode(text)).toEqual(new TextEncoder().encode(text));
      expect(utf8Decode(utf8Encode(text))).toBe(text);
    }
    expect(utf8Encode("\ud800x")).toEqual(new TextEncoder().encode("\ufffdx"));
    expect(utf8Decode(Uint8Array.of(0xc3))).toBeUndefined();
  });
});
