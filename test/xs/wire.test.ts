/** The codecs in the device's language engine: the vectors, and random frames, decode in XS to what Node says. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { XsWorker, xsWorkerPath } from "../../host-sim/runtime/xs-worker.js";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { toHex } from "../../src/base/hex.js";
import { type DecodedFrame, decodeFrameText } from "../../src/wire/decode.js";
import { emitFrame } from "../../src/wire/frame.js";
import { describeWith } from "../support/needs.js";

const url = new URL("../vectors/cta2045-decoded.json", import.meta.url);
const expected = (JSON.parse(readFileSync(url, "utf8")) as { frames: DecodedFrame[] }).frames;

/** For each frame, what decode says, and the hex of what encode makes of it. */
const program = `
const decoder = new TextDecoder();
const encoder = new TextEncoder();
globalThis.handleCommand = (bytes) => {
  const answers = JSON.parse(decoder.decode(bytes)).map((hex) => {
    const { hex: _, ...object } = wire.decodeFrameText(hex);
    const frame = object.ok ? wire.encodeFrame(object) : undefined;
    return { decoded: wire.decodeFrameText(hex), encoded: frame ? wire.toHex(frame, " ") : null };
  });
  return encoder.encode(JSON.stringify(answers)).buffer;
};`;

/** Intermediate frames with real opcodes and random tails, from a fixed seed. */
function randomFrames(count: number): string[] {
  const random = seededRandom(2045);
  return Array.from({ length: count }, () => {
    const payload = new Uint8Array(2 + uniformInt(random, 20)).map(() => uniformInt(random, 255));
    payload[0] = 1 + uniformInt(random, 11);
    payload[1] = uniformInt(random, 4) | (uniformInt(random, 1) << 7);
    return toHex(emitFrame(0x0802, payload), " ");
  });
}

const path = xsWorkerPath();
describeWith(
  path === undefined ? "XS is not installed (npm ci compiles it)" : undefined,
  "wire in XS",
  () => {
    let worker: XsWorker;

    beforeAll(async () => {
      const entry = (name: string) => fileURLToPath(new URL(`../../src/${name}`, import.meta.url));
      const bundle = await build({
        stdin: {
          contents: `export * from ${JSON.stringify(entry("wire/decode.ts"))}; export { toHex } from ${JSON.stringify(entry("base/hex.ts"))};`,
          resolveDir: fileURLToPath(new URL(".", import.meta.url)),
        },
        bundle: true,
        write: false,
        format: "iife",
        globalName: "wire",
        target: "es2022",
      });
      worker = new XsWorker(path!);
      await worker.send("e", `${bundle.outputFiles[0]!.text}\nglobalThis.wire = wire;\n${program}`);
    });
    afterAll(() => worker.close());

    async function inXs(
      frames: readonly string[],
    ): Promise<{ decoded: DecodedFrame; encoded: string | null }[]> {
      return JSON.parse(await worker.send("?", JSON.stringify(frames))) as {
        decoded: DecodedFrame;
        encoded: string | null;
      }[];
    }

    it("decodes and encodes every vector", async () => {
      const answers = await inXs(expected.map(({ hex }) => hex));
      expect(answers.map(({ decoded }) => decoded)).toStrictEqual(expected);
      expect(answers.map(({ encoded }) => encoded)).toStrictEqual(
        expected.map(({ ok, hex }) => (ok ? hex : null)),
      );
    });

    it("says of random frames what Node says", async () => {
      const frames = randomFrames(2000);
      const answers = await inXs(frames);
      const decoded = frames.map((hex) => decodeFrameText(hex));
      expect(answers.map((answer) => answer.decoded)).toStrictEqual(decoded);
      expect(decoded.filter(({ ok }) => ok).length).toBeGreaterThan(500);
      expect(answers.every((answer, i) => answer.encoded === (decoded[i]!.ok ? frames[i]! : null))).toBe(
        true,
      );
    });
  },
);
