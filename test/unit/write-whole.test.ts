// What has been told as written survives a power cut: it was on the disk before its name was, and before what names it.
import type * as fs from "node:fs";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PasswordFile } from "../../host-sim/net/passwords.js";
import { Ledger } from "../../host-sim/provision/batch.js";
import { FolderFiles } from "../../host-sim/release/files.js";
import { makeKeyFile, newKey } from "../../host-sim/release/keys.js";
import { publish } from "../../host-sim/release/publish.js";
import { Repository } from "../../host-sim/release/repository.js";
import { forgetSetup, keepSetup } from "../../host-sim/runtime/setup-files.js";
import { SimulatedSlots } from "../../host-sim/runtime/slots.js";
import { writeWhole } from "../../host-sim/runtime/write-whole.js";

/** What was asked of the disk, in order. */
const done: string[] = [];
const open = new Map<number, string>();

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    openSync: (path: string, flags: string, mode?: number) => {
      const file = real.openSync(path, flags, mode);
      open.set(file, path);
      return file;
    },
    fsyncSync: (file: number) => {
      done.push(`sync ${open.get(file)}`);
      real.fsyncSync(file);
    },
    renameSync: (from: string, to: string) => {
      done.push(`name ${to}`);
      real.renameSync(from, to);
    },
  };
});

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "openucm-whole-"));
  done.length = 0;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const steps = (): string[] => done.map((step) => `${step.slice(0, 5)}${relative(dir, step.slice(5)) || "."}`);

it("the bytes, then the name, then the folder and those that are new above it", () => {
  writeWhole(join(dir, "a/b/c.json"), "1");
  expect(steps()).toEqual(["sync a/b/c.json.new", "name a/b/c.json", "sync a/b", "sync a", "sync ."]);
  done.length = 0;
  writeFileSync(join(dir, "a/b/c.json.new"), "left by a cut", { mode: 0o644 });
  writeWhole(join(dir, "a/b/c.json"), "2", 0o600);
  expect(steps()).toEqual(["sync a/b/c.json.new", "name a/b/c.json", "sync a/b"]);
  expect(readFileSync(join(dir, "a/b/c.json"), "utf8")).toBe("2");
  expect(statSync(join(dir, "a/b/c.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dir, "a/b"))).toEqual(["c.json"]);
  done.length = 0;
  // By a way that begins where this program is.
  writeWhole(join(relative(process.cwd(), dir), "x/y/z"), "1");
  expect(done.map((step) => step.split("/").at(-1))).toEqual(["z.new", "z", "y", "x", dir.split("/").at(-1)]);
});

it("a release: each file is on the disk before the next is begun, the timestamp last, and keys before their root", () => {
  const role = (name: string) => makeKeyFile(join(dir, "keys"), name);
  const keys = { root: [role("root-1")], timestamp: [role("timestamp-1")] };
  expect(steps()).toEqual(["sync keys/root-1.pem", "sync keys/timestamp-1.pem"]);
  const all = { ...keys, snapshot: [newKey("s")], targets: [newKey("t")] };
  const context = { keys: Object.values(all).flat(), utcMs: Date.UTC(2027, 0, 1) };
  const from = new FolderFiles(join(dir, "fw"));
  const repository = Repository.create(
    from,
    all,
    { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
    context,
  );
  repository.add(Buffer.from("image"), "b-1.bin", { board: "b", version: "1", shareBp: 1 }, context);
  done.length = 0;
  const targets = from.list().flatMap((path) => /^targets\/([0-9a-f]{64})\.(.+)$/.exec(path) ?? []);
  publish(from, new FolderFiles(join(dir, "www")), [{ sha256: targets[1]!, path: targets[2]! }]);
  const names = steps().filter((step) => step.startsWith("name"));
  expect(names.length).toBeGreaterThan(5);
  expect(names.at(-1)).toBe("name www/metadata/timestamp.json");
  for (const name of names) {
    const at = steps().indexOf(name);
    expect(steps()[at - 1]).toBe(`sync ${name.slice(5)}.new`);
    expect(steps()[at + 1]).toBe(`sync ${name.slice(5).replace(/\/[^/]+$/, "")}`);
  }
});

it("the ledger of a batch: a secret is on the disk before anything else of its module", () => {
  new Ledger(join(dir, "ledger.txt")).add("UCM000001", "0000-0000-0000-0000-0");
  expect(steps()).toEqual(["sync ledger.txt"]);
  expect(statSync(join(dir, "ledger.txt")).mode & 0o777).toBe(0o600);
  expect(new Ledger(join(dir, "ledger.txt")).hasSerial("UCM000001")).toBe(true);
});

it("the boot loader's record of the simulated slots", () => {
  const slots = new SimulatedSlots({
    board: "bench",
    version: "1.0.0",
    folder: join(dir, "slots"),
    slotBytes: 8192,
  });
  slots.carryOut({ id: 1, do: "erase", at: 0 });
  slots.close();
  expect(steps()).toEqual(["sync slots/boot.json.new", "name slots/boot.json", "sync slots"]);
});

it("a password that a platform has set, and a setup; what a cut has left of either goes with a factory reset", () => {
  new PasswordFile(join(dir, "passwords.json")).keep("grid", "set by the platform");
  expect(steps()).toEqual(["sync passwords.json.new", "name passwords.json", "sync ."]);
  done.length = 0;
  const upstream = { id: "grid", protocol: "openadr3", url: "https://vtn.example/" } as const;
  const document = { upstreams: [upstream], region: "us", timeZone: "UTC0" } as const;
  keepSetup(dir, { document, wifi: { ssid: "", passphrase: "" }, secret: "of the utility" });
  expect(steps().filter((step) => step.startsWith("name"))).toEqual([
    "name passwords.json",
    "name grid.secret",
    "name module.json",
  ]);
  for (const name of ["grid.secret.new", "module.json.new", "passwords.json.new"])
    writeFileSync(join(dir, name), "half of");
  forgetSetup(dir, join(dir, "owner-secret.txt"));
  expect(readdirSync(dir)).toEqual([]);
});
