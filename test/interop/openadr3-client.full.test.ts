// openadr3-client (PyPI, Python 3.12 or later) as the utility's business logic at our VTN over TLS; our VEN at the
// other end. The program, its event, the change and the deletion are theirs; the registration and the report are read
// back through their models, which check what they read.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { NodeHttp } from "../../host-sim/net/node-http.js";
import { startVtn } from "../../host-sim/vtn/server.js";
import type { Vtn } from "../../host-sim/vtn/vtn.js";
import { seededRandom } from "../../src/base/random.js";
import type { GridEvent } from "../../src/grid/event.js";
import { OpenAdr3Ven } from "../../src/openadr3/ven.js";
import { online } from "../unit/openadr3-harness.js";
import { interopFile } from "./openleadr-venv.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const venv = `${root}build/venv-openadr3`;

/** Python with openadr3-client, made on first use in build/; else why not. */
/** Interpreters that pyenv keeps: its shims answer for the chosen version alone. */
function pyenvPythons(): string[] {
  const versions = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  if (!existsSync(versions)) return [];
  return readdirSync(versions).map((version) => join(versions, version, "bin/python3"));
}

function clientPython(): { readonly python: string } | { readonly missing: string } {
  const python = `${venv}/bin/python`;
  const works = (): boolean =>
    existsSync(python) && spawnSync(python, ["-c", "import openadr3_client"]).status === 0;
  if (works()) return { python };
  // `pythonX.Y --version` may answer for a shim that has nothing behind it, so it has to run code.
  const base = ["python3.14", "python3.13", "python3.12", "python3", ...pyenvPythons()].find(
    (name) => spawnSync(name, ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"]).status === 0,
  );
  if (base === undefined) return { missing: "needs Python 3.12 or later" };
  spawnSync(base, ["-m", "venv", venv]);
  const run = spawnSync(python, ["-m", "pip", "install", "--quiet", "openadr3-client"], {
    encoding: "utf8",
    timeout: 240_000,
  });
  return works() ? { python } : { missing: `needs openadr3-client from PyPI: ${run.stderr.slice(-300)}` };
}

const found = process.env["OPENUCM_FULL"] === "1" ? clientPython() : { missing: "part of the full suite" };
const name = "openadr3-client as business logic, our VEN";

function suite(python: string): void {
  const folder = mkdtempSync(join(tmpdir(), "openadr3-client-"));
  let vtn: Vtn | undefined;
  let child: ChildProcess | undefined;
  let http: NodeHttp | undefined;
  let timer: NodeJS.Timeout | undefined;

  afterAll(async () => {
    clearInterval(timer);
    child?.kill();
    http?.close();
    await vtn?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("program, event, change, deletion; registration and override report read back", async () => {
    const server = await startVtn({ dataDir: folder });
    vtn = server;
    const { module, utility } = server.clients;
    const { openadr3: url } = server.urls;
    child = spawn(
      python,
      [interopFile("openadr3_client_bl.py"), url, utility.clientId, utility.clientSecret, server.ca],
      // The variable goes before what the client is told itself, where a machine has it set.
      { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, REQUESTS_CA_BUNDLE: server.ca } },
    );
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const bl = async (command: string): Promise<Record<string, unknown>> => {
      child!.stdin!.write(`${command}\n`);
      const answer = JSON.parse((await lines.next()).value as string) as Record<string, unknown>;
      expect(answer["error"], command).toBeUndefined();
      return answer;
    };
    let held: readonly GridEvent[] = [];
    let ids = 0;
    const now = () => ({ ms: Math.floor(performance.now()), utcMs: Date.now() });
    http = new NodeHttp({
      credentials: new Map([["utility", { ca: readFileSync(server.ca, "utf8") }]]),
      deliver: (event) => ven.onHttp(event, now()),
    });
    const ven = new OpenAdr3Ven(
      { id: "utility", url, venName: "module-9", pollSeconds: 1, programs: ["peak"], ...module },
      {
        http,
        random: seededRandom(1),
        store: { get: () => undefined, set: () => undefined, delete: () => undefined },
        nextRequestId: () => ++ids,
        replaceEvents: (_, events) => {
          held = events;
          return events.map(({ id, revision }) => ({ id, revision, verdict: "new", why: "" }));
        },
        clockSeen: () => undefined,
        log: () => undefined,
      },
    );
    const until = async (what: string, done: () => boolean): Promise<void> => {
      for (let i = 0; i < 1200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(done(), what).toBe(true);
    };
    const program = String((await bl("program peak"))["id"]);
    ven.start(now());
    timer = setInterval(() => {
      if (now().ms >= ven.nextMs()) ven.poll(now());
    }, 20);
    await until("online", () => ven.status().state === "online");
    expect(await bl("vens")).toEqual({ vens: ["module-9"] });

    const event = String((await bl(`event ${program} 1`))["id"]);
    await until("the event", () => held.length === 1);
    expect(held[0]).toMatchObject({ id: event, programme: "peak", rank: 999_997 });
    expect(held[0]!.intervals.map(({ durationMs, ask }) => [durationMs, ask.ask])).toEqual([
      [300_000, "shed"],
      [300_000, "normal"],
    ]);
    const { revision } = held[0]!;
    await bl(`change ${program} ${event} 2`);
    await until("the change", () => held[0]?.intervals[0]?.ask.ask === "critical-peak");
    expect(held[0]!.revision).toBeGreaterThan(revision);

    ven.onSgd({ ...online, override: true, opState: 12 }, now());
    await until("the report", () => JSON.stringify(server.reports()).includes("RUNNING_OPTED_OUT"));
    const reports = JSON.stringify((await bl("reports"))["reports"]);
    expect(reports).toContain("RUNNING_OPTED_OUT");
    expect(reports).toContain(event);

    await bl(`delete ${event}`);
    await until("the end", () => held.length === 0);
  }, 600_000);
}

if ("python" in found) describe(name, () => suite(found.python));
else {
  console.warn(`skipped: ${name}: ${found.missing}`);
  describe.skip(`${name}: ${found.missing}`, () => it("is skipped", () => undefined));
}
