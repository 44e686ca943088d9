/** Long texts in the device's language engine, whose `charCodeAt` walks the text: as Node has them, and in time. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { XsWorker, xsWorkerPath } from "../../host-sim/runtime/xs-worker.js";
import { toHex } from "../../src/base/hex.js";
import { crcOfText } from "../../src/base/json.js";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { utf8Encode, utf8Length } from "../../src/base/utf8.js";
import { describeWith } from "../support/needs.js";

/** Texts whose pieces end in every kind of character, from a fixed seed; no lone surrogate, which JSON would change. */
function texts(count: number): string[] {
  const random = seededRandom(64);
  const ranges = [0x7f, 0x7ff, 0xd7ff, 0x10ffff];
  const one = (): string => {
    const code = uniformInt(random, ranges[uniformInt(random, 3)]!);
    return String.fromCodePoint(code >= 0xd800 && code < 0xe000 ? 65 : code);
  };
  return Array.from({ length: count }, () => Array.from({ length: uniformInt(random, 200) }, one).join(""));
}

it("is encoded as TextEncoder encodes it, pairs and lone halves at the end of a piece too", () => {
  const encoder = new TextEncoder();
  const halves = ["\ud83d", "\ude00", "\ud83d\ude00", "\ude00\ud83d"];
  const edges = [62, 63, 64, 127].flatMap((length) =>
    halves.flatMap((half) => ["a".repeat(length) + half, "é".repeat(length) + half + "b"]),
  );
  for (const text of [...edges, ...texts(2000)]) {
    const expected = encoder.encode(text);
    expect(toHex(utf8Encode(text))).toBe(toHex(expected));
    expect(utf8Length(text)).toBe(expected.length);
  }
});

const program = `
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const now = () => Date.now();
globalThis.handleCommand = (bytes) => {
  const { all, page } = JSON.parse(decoder.decode(bytes));
  const answers = all.map((one) => [text.toHex(text.utf8Encode(one)), text.crcOfText(one)]);
  const quickest = (work) => {
    let best = Infinity;
    for (let i = 0; i < 5; i++) {
      const from = now();
      for (let n = 0; n < 4; n++) work();
      best = Math.min(best, now() - from);
    }
    return best;
  };
  const long = page.repeat(16);
  const times = ["utf8Encode", "crcOfText"].map((name) => [
    quickest(() => { for (let n = 0; n < 16; n++) text[name](page); }),
    quickest(() => text[name](long)),
  ]);
  return encoder.encode(JSON.stringify({ answers, times })).buffer;
};`;

const path = xsWorkerPath();
describeWith(
  path === undefined ? "XS is not installed (npm ci compiles it)" : undefined,
  "a long text in XS",
  () => {
    let worker: XsWorker;
    beforeAll(async () => {
      const entry = (name: string) =>
        JSON.stringify(fileURLToPath(new URL(`../../src/base/${name}.ts`, import.meta.url)));
      const bundle = await build({
        stdin: {
          contents: ["utf8", "json", "hex"].map((name) => `export * from ${entry(name)};`).join("\n"),
          resolveDir: fileURLToPath(new URL(".", import.meta.url)),
        },
        ...{ bundle: true, write: false, format: "iife", globalName: "text", target: "es2022" },
      });
      worker = new XsWorker(path!);
      await worker.send("e", `${bundle.outputFiles[0]!.text}\nglobalThis.text = text;\n${program}`);
    });
    afterAll(() => worker.close());

    it("comes to what Node says, and sixteen times the text is no sixteen times dearer a character", async () => {
      const all = texts(200);
      const page = "<p>Your car is charging at 16 A until 07:00.</p>\n".repeat(40);
      const reply = JSON.parse(await worker.send("?", JSON.stringify({ all, page }))) as {
        answers: [string, number][];
        times: [number, number][];
      };
      expect(reply.answers).toEqual(all.map((one) => [toHex(utf8Encode(one)), crcOfText(one)]));
      // Unit by unit the long text costs about sixteen times the sixteen short ones; in pieces about as much.
      for (const [short, long] of reply.times) expect(long).toBeLessThan(5 * Math.max(short, 4));
    });
  },
);
