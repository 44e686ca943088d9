// The XML reader against saxes: on any bytes, in any pieces, both give the same events or both refuse.
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { isFault, type Fault } from "../../src/base/fault.js";
import { XmlReader, XML_LIMITS, type XmlLimits, type XmlNames } from "../../src/base/xml-reader.js";
import { xmlEscape } from "../../src/base/xml-writer.js";
import { utf8Encode } from "../../src/base/utf8.js";

const wide: XmlLimits = {
  documentBytes: 1e6,
  depth: 1000,
  text: 50_000,
  name: 5000,
  attributes: 1000,
  namespaces: 1000,
};

const names: XmlNames = { "urn:a": { x: 7, y: 8 } };

function ours(pieces: readonly Uint8Array[], limits = wide): string[] | Fault {
  const out: string[] = [];
  const reader = new XmlReader(
    names,
    {
      open(name, xml) {
        const attributes: string[] = [];
        for (let i = 0; i < xml.attributeCount; i++) attributes.push(JSON.stringify(xml.attributeAt(i)));
        out.push(`open {${xml.uri}}${xml.local} ${attributes.join(" ")}`);
        const known =
          xml.uri === "urn:a" && xml.local === "x" ? 7 : xml.uri === "urn:a" && xml.local === "y" ? 8 : 0;
        expect(name).toBe(known);
      },
      text(text) {
        out.push(`text ${JSON.stringify(text)}`);
      },
      close() {
        out.push("close");
      },
    },
    limits,
  );
  for (const piece of pieces) {
    const bad = reader.push(piece);
    if (bad !== undefined) return bad;
  }
  return reader.end() ?? out;
}

/** Undefined: saxes refuses. */
function oracle(bytes: Uint8Array): string[] | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
  const out: string[] = [];
  let run = "";
  let bad = false;
  const flush = (): void => {
    if (/[^ \t\r\n]/.test(run)) out.push(`text ${JSON.stringify(run)}`);
    run = "";
  };
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on("error", () => (bad = true));
  parser.on("opentag", (tag) => {
    flush();
    // saxes lets `p:-x` pass, which Namespaces in XML (NCName) forbids.
    for (const { local } of [tag, ...Object.values(tag.attributes)]) {
      const c = local.charCodeAt(0);
      if (/^[-.0-9]/.test(local) || c === 0xb7 || (c >= 0x300 && c <= 0x36f) || c === 0x203f || c === 0x2040)
        bad = true;
    }
    const attributes = Object.values(tag.attributes).map((a) => JSON.stringify([a.uri, a.local, a.value]));
    out.push(`open {${tag.uri}}${tag.local} ${attributes.join(" ")}`);
  });
  parser.on("closetag", () => {
    flush();
    out.push("close");
  });
  parser.on("text", (t) => (run += t));
  parser.on("cdata", (t) => (run += t));
  // Deliberately refused by ours although well-formed.
  parser.on("doctype", () => (bad = true));
  parser.on("xmldecl", (d) => {
    if (d.version !== "1.0") bad = true;
    if (d.encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(d.encoding)) bad = true;
  });
  parser.write(text).close();
  return bad ? undefined : out;
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((c) => c % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const cut of [...at, bytes.length]) {
    pieces.push(bytes.subarray(from, cut));
    from = cut;
  }
  return pieces;
}

const name = fc.constantFrom("x", "y", "é", "a-1", "_b", "𐀀z", "x.y");
const prefix = fc.constantFrom("", "p", "q");
const uri = fc.constantFrom("urn:a", "urn:b", " urn:a ", "http://h/é");
const rawText = fc.oneof(
  fc.constantFrom(
    "plain",
    "  ",
    "\r\n",
    "&amp;&lt;&gt;&quot;&apos;",
    "&#65;&#x1F600;",
    "&#13;",
    "]]",
    "]",
    "é€😀",
    "\t",
    "<![CDATA[a<b&c]]]]><![CDATA[>]]>",
    "<![CDATA[]]>",
    "<!-- c - c -->",
    "<?pi some ? thing?>",
    "<?pi?>",
    "\r",
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }).map(xmlEscape),
);
const attributeText = fc.constantFrom("", "v", "a  b", "\n\t", "&quot;&#10;", "é😀", ">", "a'b");

interface Node {
  readonly p: string;
  readonly n: string;
  readonly ns: readonly (readonly [string, string])[];
  readonly at: readonly (readonly [string, string, string])[];
  readonly kids: readonly (Node | string)[];
}
const tree: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    p: prefix,
    n: name,
    ns: fc.uniqueArray(fc.tuple(prefix, uri), { maxLength: 3, selector: ([p]) => p }),
    at: fc.uniqueArray(fc.tuple(fc.constantFrom("", "p", "xml"), name, attributeText), {
      maxLength: 3,
      selector: ([p, n]) => `${p}:${n}`,
    }),
    kids: fc.array(fc.oneof({ depthSize: "small", withCrossShrink: true }, rawText, tie("node")), {
      maxLength: 4,
    }),
  }),
})).node;

function write(node: Node, root = true): string {
  const q = (p: string, n: string): string => (p === "" ? n : `${p}:${n}`);
  const ns = root
    ? [["p", "urn:a"] as const, ["q", "urn:b"] as const, ...node.ns.filter(([p]) => p === "")]
    : node.ns;
  const attributes = [
    ...ns.map(([p, u]) => `${p === "" ? "xmlns" : `xmlns:${p}`}="${u}"`),
    ...node.at.map(([p, n, v]) => `${q(p, n)} = "${v}"`),
  ];
  const head = `${q(node.p, node.n)}${attributes.map((a) => ` ${a}`).join("")}`;
  if (node.kids.length === 0) return `<${head}/>`;
  return `<${head} >${node.kids.map((k) => (typeof k === "string" ? k : write(k, false))).join("")}</${q(node.p, node.n)} >`;
}

const document = fc
  .tuple(
    fc.constantFrom(
      "",
      "\ufeff",
      '<?xml version="1.0" encoding="UTF-8"?>',
      "<?xml version='1.0'?>\n<!--x-->",
      "<?xml version = '1.0'  encoding='utf-8' standalone=\"yes\" ?>",
      "<?xml version='1.0' standalone='maybe'?>",
      "<?xml encoding='utf-8'?>",
      "<?xml version='1.0'encoding='utf-8'?>",
      "<?xml version='1.0' standalone='no' encoding='utf-8'?>",
      " ",
    ),
    tree,
    fc.constantFrom("", "\n", "<!-- end -->", "<?end?>"),
  )
  .map(([head, root, tail]) => head + write(root) + tail);
const cuts = fc.array(fc.nat(5000), { maxLength: 6 });

function same(bytes: Uint8Array, pieces: readonly Uint8Array[]): "read" | "refused" {
  const expected = oracle(bytes);
  const actual = ours(pieces);
  if (expected === undefined) {
    if (!isFault(actual)) throw new Error(`saxes refuses, ours read ${JSON.stringify(actual)}`);
    return "refused";
  }
  expect(actual).toEqual(expected);
  return "read";
}

const runs = Number(process.env["OPENUCM_XML_RUNS"] ?? 1500);

describe("XML reader against saxes", () => {
  it("reads generated documents alike, in any pieces", () => {
    let read = 0;
    fc.assert(
      fc.property(document, cuts, (text, at) => {
        const bytes = new TextEncoder().encode(text);
        if (same(bytes, split(bytes, at)) === "read") read++;
      }),
      { numRuns: runs },
    );
    // The generator would prove nothing if most of its documents were wrong.
    expect(read).toBeGreaterThan(runs * 0.4);
  });

  it("reads byte by byte as at once", () => {
    fc.assert(
      fc.property(document, (text) => {
        const bytes = utf8Encode(text);
        expect(ours([...bytes].map((b) => Uint8Array.of(b)))).toEqual(ours([bytes]));
      }),
      { numRuns: runs / 5 },
    );
  });

  it("agrees with saxes on mutated documents: the same events, or both refuse", () => {
    const marks = "<>/&;'\"=!?-[] \n\r:x]pé#1\u0000\ufffe";
    fc.assert(
      fc.property(
        document,
        fc.array(fc.tuple(fc.nat(10_000), fc.constantFrom("drop", "put", "copy", "byte"), fc.nat(10_000)), {
          minLength: 1,
          maxLength: 3,
        }),
        cuts,
        (text, edits, at) => {
          let bytes: Uint8Array = new TextEncoder().encode(text);
          for (const [where, what, n] of edits) {
            const i = where % (bytes.length + 1);
            const insert =
              what === "put"
                ? new TextEncoder().encode(marks[n % marks.length])
                : what === "copy"
                  ? bytes.slice(i, i + (n % 12))
                  : what === "byte"
                    ? Uint8Array.of(n & 0xff)
                    : new Uint8Array(0);
            const skip = what === "drop" ? 1 + (n % 4) : what === "byte" ? 1 : 0;
            bytes = Uint8Array.from([...bytes.slice(0, i), ...insert, ...bytes.slice(i + skip)]);
          }
          same(bytes, split(bytes, at));
        },
      ),
      { numRuns: runs * 2 },
    );
  });

  it("never throws and stays within its limits on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        same(bytes, [bytes]);
        ours([bytes], XML_LIMITS);
      }),
      { numRuns: runs / 5 },
    );
  });
});
