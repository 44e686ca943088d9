/** Every manifest, board and driver names only what exists; checked without the SDK. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
type Json = Record<string, unknown>;
const read = (path: string): Json => JSON.parse(readFileSync(path, "utf8")) as Json;
const list = (value: unknown): string[] => (value === undefined ? [] : ([value].flat() as string[]));

const boards = readdirSync(join(root, "boards")).filter((name) =>
  existsSync(join(root, "boards", name, "manifest.json")),
);
const manifests = [
  join(root, "manifest.json"),
  ...[
    "rs485",
    "spi-peripheral",
    "flash",
    "slots",
    "wifi",
    "tls",
    "identity",
    "http",
    "web",
    "button",
    "device",
  ].map((name) => join(root, "drivers", name, "manifest.json")),
  ...boards.map((name) => join(root, "boards", name, "manifest.json")),
];

/** Files that a module entry names: `./x` is any x.js, x.ts, x.c, x.h …; `./x/*` is all in x. */
function filesOf(entry: string, manifest: string): string[] {
  const path = resolve(dirname(manifest), entry);
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const name = basename(path);
  return readdirSync(folder).filter((file) =>
    name === "*" ? /\.(ts|js|c)$/.test(file) : file.replace(/(\.d)?\.\w+$/, "") === name,
  );
}

describe.each(manifests.map((path) => [relative(root, path), path] as const))("%s", (_, path) => {
  const manifest = read(path);

  it("names only modules, includes and folders that exist", () => {
    for (const include of list(manifest["include"])) {
      if (!include.startsWith("$(")) expect(existsSync(resolve(dirname(path), include)), include).toBe(true);
    }
    const modules = (manifest["modules"] ?? {}) as Json;
    for (const entry of Object.values(modules).flatMap(list)) {
      if (!entry.startsWith("$(")) expect(filesOf(entry, path).length, entry).toBeGreaterThan(0);
    }
    const { SDKCONFIGPATH, PARTITIONS_FILE } = (manifest["build"] ?? {}) as Json;
    for (const file of [SDKCONFIGPATH, PARTITIONS_FILE]) {
      if (file !== undefined)
        expect(existsSync(resolve(dirname(path), String(file))), String(file)).toBe(true);
    }
  });

  it("preloads only modules that it has", () => {
    const modules = Object.keys((manifest["modules"] ?? {}) as Json);
    for (const name of list(manifest["preload"])) expect(modules).toContain(name);
  });
});

describe("the application", () => {
  const manifest = read(join(root, "manifest.json"));
  const modules = manifest["modules"] as Json;

  it("has one entry for each folder of src, preloaded", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => readdirSync(join(root, "src", name)).some((file) => file.endsWith(".ts")));
    for (const name of folders) {
      expect(modules[`src/${name}/*`], name).toBe(`./src/${name}/*`);
      expect(manifest["preload"]).toContain(`src/${name}/*`);
    }
    const known = Object.keys(modules).filter((name) => /^src\/.+\/\*$/.test(name));
    expect(known.sort()).toEqual(folders.map((name) => `src/${name}/*`).sort());
  });

  it("starts with a module that it includes, and is compiled strictly for ES2022", () => {
    expect((manifest["creation"] as Json)["main"]).toBe("drivers/device/main");
    expect(existsSync(join(root, "drivers/device/main.ts"))).toBe(true);
    const { tsconfig } = manifest["typescript"] as { tsconfig: { compilerOptions: Json } };
    expect(tsconfig.compilerOptions).toMatchObject({ strict: true, target: "es2022", lib: ["es2022"] });
  });

  it.each(["device", "wifi", "tls", "http", "web", "button"])(
    "the chip's side is type-checked without the SDK: drivers/%s",
    (name) => {
      const run = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", join(root, "drivers", name)], {
        encoding: "utf8",
      });
      expect(run.stdout.split("\n").filter((line) => line.includes("drivers/"))).toEqual([]);
    },
  );
});

describe("C of the drivers", () => {
  it("has every native function that its JavaScript names", () => {
    for (const folder of ["rs485", "spi-peripheral", "flash", "tls", "device", "web"]) {
      const files = readdirSync(join(root, "drivers", folder));
      const text = (ending: string): string =>
        files
          .filter((file) => file.endsWith(ending))
          .map((file) => readFileSync(join(root, "drivers", folder, file), "utf8"))
          .join("\n");
      const named = [...text(".js").matchAll(/[Nn]ative\("(xs_\w+)"\)/g)].map((match) => match[1]!);
      expect(named.length, folder).toBeGreaterThan(4);
      for (const name of named) expect(text(".c"), name).toMatch(new RegExp(`void ${name}\\(`));
    }
  });

  it("says of every file that touches the chip that it was never run on hardware", () => {
    for (const file of [
      "rs485/rs485.c",
      "rs485/rs485-esp32.c",
      "spi-peripheral/spi.c",
      "flash/flash-partition.c",
      "flash/ucm-flash.c",
      "spi-peripheral/spi-peripheral.c",
      "device/device.c",
      "device/main.ts",
      "tls/tls-esp32.c",
      "wifi/station.ts",
      "wifi/sdk.ts",
      "web/server.ts",
      "web/sdk.ts",
      "web/ucm-web.c",
      "button/button.ts",
      "button/sdk.ts",
    ])
      expect(readFileSync(join(root, "drivers", file), "utf8"), file).toMatch(/never run on hardware/i);
  });
});

describe("the machine's size", () => {
  /** What tools/xs-host creates where nothing else is asked: the machine that all figures are of. */
  const [chunks, slots, stack, , , names] = /ucmDefaultCreation = \{([^}]+)\}/
    .exec(readFileSync(join(root, "tools/xs-host/machine.c"), "utf8"))![1]!
    .split(",")
    .map(Number);

  it.each([
    ["manifest.json", join(root, "manifest.json")],
    ...boards.map((name) => [name, join(root, "boards", name, "manifest.json")]),
  ])("%s asks for the machine in which it is measured", (_, path) => {
    const creation = read(path!)["creation"] as {
      chunk: Json;
      heap: Json;
      stack: number;
      static: number;
      keys?: Json;
    };
    expect(creation.chunk).toEqual({ initial: chunks, incremental: 0 });
    expect(creation.heap).toEqual({ initial: slots, incremental: 0 });
    expect(creation.stack).toBe(stack);
    expect(creation.static).toBe(0);
    if (creation.keys) expect(creation.keys["name"]).toBe(names);
  });
});

describe.each(boards)("boards/%s", (name) => {
  const folder = join(root, "boards", name);
  const text = (file: string): string => readFileSync(join(folder, file), "utf8");

  it("has a pin for each need of the line, and a page that says what is not known", async () => {
    const { default: device } = (await import(join(folder, "host/provider.js"))) as {
      default: { rs485: Json; pin: Json; lamp?: Json };
    };
    expect(device.rs485).toMatchObject({
      port: expect.any(Number),
      transmit: expect.any(Number),
      receive: expect.any(Number),
    });
    // Without it no owner opens setup again, and none resets the module.
    expect(device.pin).toMatchObject({ button: expect.any(Number) });
    // A lamp that the board's page names is driven.
    expect(device.lamp?.["pin"]).toBe(device.pin["led"]);
    expect(device.lamp?.["ws2812"] === true).toBe(text("README.md").includes("WS2812"));
    expect(text("README.md")).toMatch(/Never run on hardware/);
    expect(text("README.md")).toMatch(/unknown/);
  });

  it("has two update slots, NVS and storage that fit the flash and do not overlap", () => {
    const rows = text("sdkconfig/partitions.csv")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(",").map((cell) => cell.trim()));
    expect(rows.map(([label]) => label)).toEqual(
      expect.arrayContaining(["nvs", "otadata", "ota_0", "ota_1", "storage", "journal"]),
    );
    let end = 0x9000;
    for (const [label, type, , offset, size] of rows) {
      expect(Number(offset), label).toBeGreaterThanOrEqual(end);
      expect(Number(offset) % (type === "app" ? 0x10000 : 0x1000), label).toBe(0);
      end = Number(offset) + Number(size);
    }
    const megabytes = Number(/FLASHSIZE_(\d+)MB=y/.exec(text("sdkconfig/sdkconfig.defaults"))?.[1]);
    expect(end).toBeLessThanOrEqual(megabytes << 20);
  });

  it("is configured safely, in lines that the SDK does not ignore", () => {
    const lines = text("sdkconfig/sdkconfig.defaults").split("\n");
    expect(lines.filter((line) => line.startsWith("#"))).toEqual([]);
    for (const line of [
      "CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=n",
      "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y",
      "CONFIG_ESP_TASK_WDT_EN=y",
      "CONFIG_ESP_INT_WDT=y",
      "CONFIG_GPTIMER_ISR_CACHE_SAFE=y",
    ])
      expect(lines).toContain(line);
  });
});

describe("npm run build -- --board", () => {
  const build = (...args: string[]) => {
    const env = { ...process.env };
    delete env["MODDABLE"];
    const loader = ["--no-warnings", "--loader", "ts-node/esm", join(root, "tools/build.ts")];
    return spawnSync(process.execPath, [...loader, ...args], { cwd: root, encoding: "utf8", env });
  };

  it("says how to install the SDK where there is none, and ends with 2", () => {
    const run = build("--board", boards[0]!);
    expect(run.stderr).toContain("npx xs-dev setup");
    expect(run.status).toBe(2);
  });

  it("names the boards where one is unknown, and ends with 2", () => {
    const run = build("--board", "nonesuch");
    for (const name of boards) expect(run.stderr).toContain(name);
    expect(run.status).toBe(2);
  });
});
