/**
 * The pages' sockets of the chip (drivers/web/ucm-web.c) with their real XS glue, on the host's sockets, sanitizers on:
 * whoever resets connections at any moment breaks nothing and keeps nobody out.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "build/fake-idf");
const PATIENCE_MS = 40_000;

describe("the pages' sockets on the chip", () => {
  let child: ChildProcess;
  let port = 0;
  let errors = "";
  const lines: string[] = [];
  let ended: Promise<number | null>;

  beforeAll(async () => {
    const made = spawnSync("make", ["-s", "-j2", "-C", join(root, "drivers/fake-idf")], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
    mkdirSync(folder, { recursive: true });
    const bundled = await build({
      entryPoints: [join(import.meta.dirname, "drivers-web-sockets.xs.js")],
      alias: { "ucm/web": join(root, "drivers/web/ucm-web.js") },
      ...{ bundle: true, format: "iife", target: "es2022", write: false, logLevel: "silent" },
    });
    const file = join(folder, "web-sockets.js");
    writeFileSync(file, bundled.outputFiles[0]!.text);
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    child = spawn(join(folder, "driver-test"), [file], { env, stdio: ["ignore", "pipe", "pipe"] });
    child.stderr!.on("data", (data: Buffer) => (errors += data.toString()));
    ended = new Promise((done) => child.on("close", done));
    port = await new Promise<number>((done, fail) => {
      createInterface({ input: child.stdout! }).on("line", (line) => {
        lines.push(line);
        const [word, number] = line.split(" ");
        if (word === "port") done(Number(number));
      });
      void ended.then(() => fail(new Error(`ended before it listened: ${errors}`)));
    });
  }, 300_000);
  afterAll(async () => {
    child.kill("SIGKILL");
    await ended;
  });

  const once = (text: string, pause: boolean): Promise<string> =>
    new Promise((done) => {
      let all = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      if (pause) {
        socket.pause();
        setTimeout(() => socket.resume(), 300);
      }
      socket.on("error", () => undefined);
      socket.on("close", () => done(all));
      socket.on("data", (data) => {
        all += data.toString();
        const [head, body] = all.split("\r\n\r\n");
        const length = Number(/content-length: (\d+)/.exec(head!)?.[1]);
        if (body !== undefined && body.length >= length) socket.end();
      });
    });
  /** The body; where all places are taken it is asked again. */
  const ask = async (path: string, sent = "", pause = false): Promise<string> => {
    const text = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${String(sent.length)}\r\n\r\n${sent}`;
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await once(text, pause);
      if (answer.startsWith("HTTP/1.1 200 ")) return answer.split("\r\n\r\n")[1]!;
      if (performance.now() > untilMs || child.exitCode !== null)
        throw new Error(`never answered ${path}: ${answer}\n${errors}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const attack = (of: (socket: Socket) => void): Promise<void> =>
    new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => of(socket));
      socket.on("error", () => undefined);
      socket.on("close", () => done());
      // Else the other side's end would not be seen.
      socket.resume();
    });

  it("answers, in pieces and to who reads late, whole and in order", async () => {
    expect(await ask("/a", "x".repeat(3000))).toBe("/a 3000");
    const big = await ask("/big/9000", "", true);
    expect([big.length, big.replaceAll("x", "")]).toEqual([9000, ""]);
  });

  it("outlives connections that are reset before, while and after they are accepted, and serves the next", async () => {
    const request = "GET /b HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    const ways: ((socket: Socket) => void)[] = [
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.write("GET / HT", () => socket.resetAndDestroy()),
      (socket) => socket.write(request, () => socket.resetAndDestroy()),
      (socket) => socket.write(request, () => setImmediate(() => socket.resetAndDestroy())),
      (socket) => {
        socket.once("data", () => socket.resetAndDestroy());
        socket.write("GET /big/6000 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
      },
      (socket) => socket.end(),
      (socket) => socket.destroy(),
    ];
    for (let round = 0; round < 2; round++) {
      const all = Array.from({ length: 30 }, (_, i) => attack(ways[(round + i) % ways.length]!));
      const between = ask(`/round/${String(round)}`, "12");
      await Promise.all(all);
      expect(await between).toBe(`/round/${String(round)} 2`);
    }
    expect(await ask("/after")).toBe("/after 0");
  }, 120_000);

  it("ends with nothing open and nothing said", async () => {
    expect(await ask("/end")).toBe("/end 0");
    expect(await ended).toBe(0);
    expect(errors).toBe("");
    expect(lines).toEqual([`port ${String(port)}`, "web ok"]);
    // It is the sockets that are tested, not a stand-in for them.
    expect(readFileSync(join(folder, "web-sockets.js"), "utf8")).toContain("xs_ucm_web_accept");
  });
});
