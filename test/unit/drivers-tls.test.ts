/** Of the TLS driver what needs gcc alone; the rest with a library and real servers: test/interop/tls.full.test.ts. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as tls from "node:tls";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import { join, resolve } from "node:path";
import * as fc from "fast-check";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../host-sim/pki/certificates.js";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "drivers/tls");
const program = join(root, "build/tls/watch-test");

const run = (args: readonly string[], input = ""): string => {
  const done = spawnSync(program, args, { encoding: "utf8", input });
  expect(done.stderr).toBe("");
  expect(done.status).toBe(0);
  return done.stdout.trim();
};
const feed = (bytes: Buffer, chunk = 1 << 16, offers13 = 0): string =>
  run([], `${String(offers13)} ${String(chunk)} ${bytes.toString("hex")}\n`);
const record = (type: number, body: Buffer, version = 0x0303): Buffer =>
  Buffer.concat([
    Buffer.from([type, version >> 8, version & 255, body.length >> 8, body.length & 255]),
    body,
  ]);
const message = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 255]), body]);
const hello = (version: number, random = Buffer.alloc(32, 7), extensions = Buffer.alloc(0)): Buffer =>
  message(
    2,
    Buffer.concat([
      Buffer.from([version >> 8, version & 255]),
      random,
      Buffer.from([0, 0xc0, 0x2b, 0]),
      ...(extensions.length > 0 ? [Buffer.from([0, extensions.length]), extensions] : []),
    ]),
  );

describe("drivers/tls without a library", () => {
  beforeAll(() => {
    const made = spawnSync("make", ["-s", "-C", join(folder, "host"), "watch", "esp"], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
  }, 120_000);

  it("says of each reason an HttpFailure that exists, and docs/tls.md has it", () => {
    const port = readFileSync(join(root, "src/ports/http.ts"), "utf8");
    const docs = readFileSync(join(root, "docs/tls.md"), "utf8");
    const lines = run(["reasons"]).split("\n").slice(1);
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      const [name, failure] = line.split(" ");
      expect(port).toContain(`| "${failure!}"`);
      if (name !== "untrusted") expect(docs, name).toContain(`\`${name!}\``);
    }
  });

  it("names how far a server came, however its bytes are cut", () => {
    const flight = Buffer.concat([
      record(22, hello(0x0303)),
      record(22, Buffer.concat([message(11, Buffer.alloc(600)), message(13, Buffer.alloc(8))])),
      record(22, message(14, Buffer.alloc(0)).subarray(0, 2)),
    ]);
    const whole = feed(flight);
    expect(whole).toBe("fine 1 0303 1 1 0 0");
    for (const chunk of [1, 2, 3, 5, 7, 64, 333]) expect(feed(flight, chunk)).toBe(whole);
    expect(feed(flight.subarray(0, 30))).toMatch(/ 1$/);
    expect(feed(record(21, Buffer.from([2, 40])))).toBe("fine 0 0000 0 0 40 0");
  });

  it("names old versions and the mark of a downgrade", () => {
    const marked = (end: number) =>
      Buffer.concat([Buffer.alloc(24), Buffer.from("DOWNGRD"), Buffer.from([end])]);
    const version13 = Buffer.from([0, 43, 0, 2, 3, 4]);
    expect(feed(record(22, hello(0x0302)))).toMatch(/^version-below-1.2 /);
    expect(feed(record(22, hello(0x0303, marked(0))))).toMatch(/^downgraded /);
    expect(feed(record(22, hello(0x0303, marked(1))))).toMatch(/^fine 1 0303/);
    expect(feed(record(22, hello(0x0303, marked(1))), 9, 1)).toMatch(/^downgraded /);
    expect(feed(record(22, hello(0x0303, marked(1), version13)), 9, 1)).toMatch(/^fine 1 0304/);
  });

  it("survives any bytes, the same however they are cut, and stays in its bounds", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => record(22, Buffer.from(bytes))),
      fc.uint8Array({ maxLength: 80 }).map((bytes) => record(22, message(2, Buffer.from(bytes)))),
      fc
        .uint8Array({ maxLength: 30 })
        .map((bytes) => record(22, hello(0x0303, undefined, Buffer.from(bytes)))),
    );
    const samples = fc
      .sample(fc.array(piece, { minLength: 1, maxLength: 8 }), 300)
      .map((list) => Buffer.concat(list));
    const all = (chunk: number): string =>
      run([], samples.map((bytes) => `1 ${String(chunk)} ${bytes.toString("hex")}\n`).join(""));
    const reasons = (text: string): string[] => text.split("\n").map((line) => line.split(" ")[0]!);
    expect(reasons(all(1))).toEqual(reasons(all(1 << 16)));
    expect(feed(Buffer.concat(Array<Buffer>(8).fill(record(22, Buffer.alloc(5000)))))).toMatch(/^oversize /);
  });

  it("asks a server with a hello that Node takes, and that names the host", async () => {
    const hex = run(["probe", "localhost"]);
    expect(run(["probe", "x".repeat(253)]).length).toBeLessThan(800);
    const now = Date.now();
    const pair = await makeCertificate({
      ...{ commonName: "localhost", role: "server", hosts: ["localhost"] },
      ...{ notBeforeUtcMs: now - 1e7, notAfterUtcMs: now + 1e9 },
    });
    let asked = "";
    const server = tls.createServer({
      ...pair,
      ciphers: "DEFAULT@SECLEVEL=0",
      SNICallback: (name, done) => {
        asked = name;
        done(null);
      },
    });
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(Buffer.from(hex, "hex"));
    const answer = await new Promise<Buffer>((done) => socket.once("data", done));
    socket.destroy();
    server.close();
    expect(asked).toBe("localhost");
    expect(feed(answer)).toMatch(/^fine 1 0303 /);
  });

  it("has every native function that its JavaScript names, files that its manifest names, and an honest word", () => {
    const text = (name: string): string => readFileSync(join(folder, name), "utf8");
    const named = [...text("tls.js").matchAll(/[Nn]ative\("(xs_\w+)"\)/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(8);
    for (const name of named) expect(text("tls.c")).toContain(`void ${name}(`);
    const manifest = JSON.parse(text("manifest.json")) as { modules: Record<string, string | string[]> };
    const entries = Object.values(manifest.modules).flat();
    for (const entry of entries) expect(existsSync(join(folder, `${entry}.c`)), entry).toBe(true);
    const known = entries.map((entry) => `${entry.slice(2)}.c`);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".c")))
      if (file !== "tls-host.c") expect(known).toContain(file);
    for (const file of ["tls.c", "tls-esp32.c"]) expect(text(file)).toMatch(/never run on hardware/i);
  });

  it.each(["http", "tls"])("is type-checked without the SDK: drivers/%s", (name) => {
    const done = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", join(root, "drivers", name)], {
      encoding: "utf8",
    });
    expect(done.stdout).toBe("");
  });
});

/** tls.js over a native half that has three connections, takes `takes` bytes a write, and frees what ended at `tidy`. */
function fakeTls() {
  interface Driver {
    open(request: object): void;
    write(id: number, bytes: Uint8Array): void;
    close(id: number): void;
    poll(): { id: number; ev: string; reason?: string; text?: string } | undefined;
  }
  const world = {
    takes: 0,
    opened: [] as number[],
    /** id and whether it is still written to */
    ended: [] as [number, number][],
    slots: [] as { id: number; ending: boolean }[],
    told: [] as number[],
    tidy: (): void => {
      world.slots = world.slots.filter(({ ending }) => !ending);
    },
  };
  const natives: Record<string, (...args: never[]) => unknown> = {
    xs_tls: () => undefined,
    xs_tls_open: (id: number) => {
      if (world.slots.length === 3) return "busy busy";
      world.slots.push({ id, ending: false });
      world.opened.push(id);
      return undefined;
    },
    xs_tls_write: (id: number, bytes: Uint8Array, from: number) => {
      const isOpen = world.slots.some((each) => each.id === id);
      return isOpen ? Math.min(world.takes, bytes.length - from) : 0;
    },
    xs_tls_end: (id: number, waits: number) => {
      for (const each of world.slots) {
        if (each.id !== id || each.ending) continue;
        each.ending = waits === 0;
        world.ended.push([id, waits]);
      }
    },
    xs_tls_busy: () => world.slots.length,
    xs_tls_read: (event: { kind: number; id: number }) => {
      const id = world.told.shift();
      if (id === undefined) return false;
      for (const each of world.slots) if (each.id === id) each.ending = true;
      Object.assign(event, { kind: 4, id, fault: "closed", reason: "closed" });
      return true;
    },
  };
  const source = readFileSync(join(folder, "tls.js"), "utf8").replace(/^export default .*$/m, "");
  const Native = (): unknown => class {};
  const made: unknown = runInNewContext(`${source}\nnew Tls({ utcMs: () => undefined })`, {
    ...{ Native, native: (name: string) => natives[name], Uint8Array },
  });
  const driver = made as Driver;
  const open = (id: number): void =>
    driver.open({ id, host: "h", port: 443, secure: true, credentials: "c" });
  const events = (): string[] => {
    const list: string[] = [];
    for (let e = driver.poll(); e !== undefined; e = driver.poll())
      list.push(`${String(e.id)} ${e.ev} ${e.text ?? ""}`);
    return list;
  };
  return { driver, world, open, events };
}

describe("drivers/tls, its JavaScript half", () => {
  it("lets a fourth wait where one is ending, in order, and refuses one more than end", () => {
    const { driver, world, open, events } = fakeTls();
    for (const id of [1, 2, 3, 4]) open(id);
    expect(events()).toEqual(["4 failed busy"]);
    driver.close(1);
    for (const id of [5, 6]) open(id);
    expect(events()).toEqual(["6 failed busy"]);
    // One that ended by itself is ending too.
    world.told.push(2);
    expect(events()).toEqual(["2 failed closed"]);
    open(7);
    expect(events()).toEqual([]);
    expect(world.opened).toEqual([1, 2, 3]);
    world.tidy();
    // The one that came first is first, though the newest asks before the next poll.
    open(8);
    expect(events()).toEqual(["8 failed busy"]);
    expect(world.opened).toEqual([1, 2, 3, 5, 7]);
    open(3);
    driver.close(3);
    world.tidy();
    expect(events()).toEqual([]);
    expect(world.slots.map(({ id }) => id)).toEqual([5, 7]);
  });

  it("ends one that is closed while bytes wait, in a time that C keeps, and tells nothing of it", () => {
    const { driver, world, open, events } = fakeTls();
    for (const id of [1, 2]) open(id);
    world.takes = 10;
    for (const id of [1, 2]) {
      driver.write(id, new Uint8Array(25));
      driver.close(id);
    }
    expect(world.ended).toEqual([
      [1, 1],
      [2, 1],
    ]);
    // Its time is over before all has gone out.
    world.told.push(2);
    expect(events()).toEqual([]);
    expect(events()).toEqual([]);
    expect(world.ended.slice(2)).toEqual([[1, 0]]);
    expect(world.slots.map(({ ending }) => ending)).toEqual([true, true]);
  });
});
