/**
 * The embedded VTN: a **test double** of a utility's OpenADR server, for the bench and the tests. This folder
 * guarantees: `VtnCore` is pure (a message and the time in, a message out), so that whole scenarios run in
 * virtual time without a socket; everything it writes is valid against the 2.0b schema unless a misbehaviour
 * was switched on by name; no input makes it throw. It is no product: it keeps nothing over a restart,
 * trusts one CA that it made itself, and listens on loopback only.
 *
 * This file: reading and writing the XML of OpenADR 2.0b. Reading goes by local name (prefixes are the
 * sender's choice); writing is by template with escaping.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** One element: local name, text of its own, children in document order. */
export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

/** Why a document was not taken: for the answer's text. */
export interface XmlRefusal {
  readonly refused: string;
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** Parses one document into its root; DOCTYPE is refused. Never throws. */
export function parseXml(body: string): XmlNode | XmlRefusal {
  if (/<!DOCTYPE/i.test(body)) return { refused: "a DOCTYPE is not accepted" };
  try {
    const valid = XMLValidator.validate(body);
    if (valid !== true) return { refused: `not well-formed XML: ${valid.err.msg} (line ${valid.err.line})` };
    const roots = convert(parser.parse(body) as unknown);
    const root = roots.children[0];
    return root === undefined ? { refused: "no element in the document" } : root;
  } catch (error) {
    return { refused: `not well-formed XML: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** fast-xml-parser's ordered form is an array of one-key objects; ours is one node with children and text. */
function convert(list: unknown, name = ""): XmlNode {
  const children: XmlNode[] = [];
  let text = "";
  if (Array.isArray(list)) {
    for (const item of list as Record<string, unknown>[]) {
      for (const key of Object.keys(item)) {
        if (key === "#text") text += String(item[key]);
        else if (key !== ":@") children.push(convert(item[key], key));
      }
    }
  }
  return { name, text, children };
}

export function child(node: XmlNode | undefined, name: string): XmlNode | undefined {
  return node?.children.find((c) => c.name === name);
}

export function childrenOf(node: XmlNode | undefined, name: string): XmlNode[] {
  return node?.children.filter((c) => c.name === name) ?? [];
}

/** Text at a path of local names; undefined where an element is missing. */
export function textAt(node: XmlNode | undefined, ...path: string[]): string | undefined {
  let at = node;
  for (const name of path) at = child(at, name);
  return at?.text;
}

/** The first element of that name anywhere below. */
export function descendant(node: XmlNode, name: string): XmlNode | undefined {
  for (const c of node.children) {
    if (c.name === name) return c;
    const found = descendant(c, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function escapeXml(text: string): string {
  return (
    text
      // Characters that XML 1.0 cannot carry at all.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/"/g, "&quot;")
      .replace(/'/g, "&apos;")
  );
}

/** `<name>text</name>`, or nothing for undefined. */
export function leaf(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? "" : `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** UTC as the 2.0b schema wants it: no fraction, no offset but `Z`. */
export function dateTime(utcMs: number): string {
  return new Date(utcMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Reads a 2.0b date-time; without `Z` it is UTC too. NaN when it is none. */
export function parseDateTime(text: string | undefined): number {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*)?Z?$/.test(text)) return Number.NaN;
  return Date.parse(text.endsWith("Z") ? text : `${text}Z`);
}

/** Milliseconds to `PTnHnMnS`; fractions of a second are dropped (the schema has none), minus for negative. */
export function duration(ms: number): string {
  const total = Math.floor(Math.abs(ms) / 1000);
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  const parts = `${h ? `${h}H` : ""}${m ? `${m}M` : ""}${s || total === 0 ? `${s}S` : ""}`;
  return `${ms < 0 && total > 0 ? "-" : ""}PT${parts}`;
}

/** Reads an ISO 8601 duration as the 2.0b schema allows it; NaN when it is none. */
export function parseDuration(text: string | undefined): number {
  const week = /^(\d+)W$/.exec(text ?? "");
  if (week !== null) return Number(week[1]) * 604_800_000;
  const m = /^([+-]?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    text ?? "",
  );
  if (m === null) return Number.NaN;
  const n = (i: number): number => Number(m[i] ?? 0);
  const days = n(2) * 365 + n(3) * 30 + n(4);
  const ms = (((days * 24 + n(5)) * 60 + n(6)) * 60 + n(7)) * 1000;
  return m[1] === "-" ? -ms : ms;
}

const NAMESPACES =
  'xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07"' +
  ' xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"' +
  ' xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads"' +
  ' xmlns:emix="http://docs.oasis-open.org/ns/emix/2011/06"' +
  ' xmlns:power="http://docs.oasis-open.org/ns/emix/2011/06/power"' +
  ' xmlns:scale="http://docs.oasis-open.org/ns/emix/2011/06/siscale"' +
  ' xmlns:xcal="urn:ietf:params:xml:ns:icalendar-2.0"' +
  ' xmlns:strm="urn:ietf:params:xml:ns:icalendar-2.0:stream"';

/** The payload of a message inside `oadrPayload/oadrSignedObject`. */
export function payload(name: string, inner: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<oadr:oadrPayload ${NAMESPACES}><oadr:oadrSignedObject>` +
    `<oadr:${name} ei:schemaVersion="2.0b">${inner}</oadr:${name}>` +
    "</oadr:oadrSignedObject></oadr:oadrPayload>"
  );
}
