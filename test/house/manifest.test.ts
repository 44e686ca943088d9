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
/** Folders of drivers/ that the SDK builds. */
const drivers = readdirSync(join(root, "drivers")).filter((name) =>
  existsSync(join(root, "drivers", name, "manifest.json")),
);
const manifests = [
  join(root, "manifest.json"),
  ...drivers.map((name) => join(root, "drivers", name, "manifest.json")),
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

/** The names of what a file imports, types apart. */
const importsOf = (path: string): string[] =>
  [
    ...readFileSync(path, "utf8").matchAll(
      /^(?:import|export)\s+(?!type\b)(?:[\w*{][^;'"()=:]*?\bfrom\s*)?["']([^"']+)["']/gm,
    ),
  ].map((match) => match[1]!);
const entriesOf = (manifest: string): [string, string][] =>
  Object.entries((read(manifest)["modules"] ?? {}) as Json).flatMap(([key, value]) =>
    list(value).map((entry): [string, string] => [key, entry]),
  );
/** A manifest with all that it includes, ours and the SDK's. */
function included(manifest: string, seen = new Set<string>()): Set<string> {
  if (seen.has(manifest)) return seen;
  seen.add(manifest);
  if (!manifest.startsWith("$("))
    for (const include of list(read(manifest)["include"]))
      included(include.startsWith("$(") ? include : resolve(dirname(manifest), include), seen);
  return seen;
}

describe.each(boards)("the application on %s, as the SDK puts it together", (board) => {
  const parts = [
    ...included(join(root, "manifest.json")),
    ...included(join(root, "boards", board, "manifest.json")),
  ];
  const ours = parts.filter((path) => !path.startsWith("$("));
  const modules = ours.flatMap((path) => entriesOf(path).map(([key, entry]) => ({ key, entry, path })));
  const names = new Set(modules.map(({ key }) => key));
  /** What the SDK gives to every application, and what its own manifests bring. */
  const always = ["timer", "mc/config"];
  const brought: Readonly<Record<string, string>> = {
    preference: "modules/files/preference/manifest.json",
    net: "modules/network/net/manifest.json",
    socket: "modules/network/socket/manifest.json",
    time: "modules/network/net/manifest.json",
    wifi: "modules/network/wifi/manifest.json",
    "embedded:io/digital": "modules/io/digital/manifest.json",
    "pins/digital": "pins/digital/manifest.json",
  };
  /** What `~` takes out again: the side of other places than the chip. */
  const left = new Set(modules.filter(({ key }) => key === "~").map(({ entry }) => resolve(root, entry)));
  const sources = modules
    .filter(({ key }) => key !== "~" && key !== "*")
    .flatMap(({ entry, path }) =>
      filesOf(entry, path)
        .filter((file) => /(?<!\.d)\.(ts|js)$/.test(file))
        .map((file) => resolve(dirname(path), dirname(entry), file)),
    )
    .filter((file) => !left.has(file.replace(/\.\w+$/, "")));

  it("has every module that one of its modules imports", () => {
    expect(sources.length).toBeGreaterThan(200);
    for (const source of sources) {
      for (const name of importsOf(source)) {
        const what = `${relative(root, source)} imports ${name}`;
        if (!name.startsWith(".")) {
          const manifest = brought[name];
          if (manifest !== undefined)
            expect(
              parts.some((path) => path.endsWith(manifest)),
              what,
            ).toBe(true);
          else expect(names.has(name) || always.includes(name), what).toBe(true);
          continue;
        }
        // Between our modules by path: the name of the module is its path in the project.
        const path = resolve(dirname(source), name).replace(/\.js$/, "");
        expect(left.has(path), what).toBe(false);
        const key = relative(root, path);
        expect(names.has(key) || names.has(`${dirname(key)}/*`), what).toBe(true);
        expect(existsSync(`${path}.ts`) || existsSync(`${path}.js`), what).toBe(true);
      }
    }
  });
});

describe.each(drivers)("drivers/%s", (name) => {
  const folder = join(root, "drivers", name);
  const manifest = join(folder, "manifest.json");

  it("gives the SDK each of its files", () => {
    const host = ["tls-host.c"]; // the computer's side of a port that tls-esp32.c has on the chip
    const given = new Set(entriesOf(manifest).flatMap(([, entry]) => filesOf(entry, manifest)));
    for (const file of readdirSync(folder).filter((one) => /(?<!\.d)\.(c|js|ts)$/.test(one)))
      if (!host.includes(file)) expect([...given]).toContain(file);
  });

  it("names the component of ESP-IDF that each of its headers is of", () => {
    const components: Readonly<Record<string, RegExp>> = {
      esp_driver_uart: /^driver\/uart/,
      esp_driver_gpio: /^driver\/gpio/,
      esp_driver_gptimer: /^driver\/gptimer/,
      esp_driver_spi: /^driver\/spi/,
      esp_driver_rmt: /^driver\/rmt/,
      esp_partition: /^esp_partition/,
      app_update: /^esp_ota_ops/,
      nvs_flash: /^nvs/,
      mbedtls: /^(mbedtls|psa)\//,
      lwip: /^lwip\//,
      pthread: /^esp_pthread/,
    };
    const asked = new Set(
      [...included(manifest)]
        .filter((path) => !path.startsWith("$("))
        .flatMap((path) =>
          list((read(path)["platforms"] as { esp32?: { dependency: unknown } })?.esp32?.dependency).map(
            (one) => (one as unknown as { idf: string }).idf,
          ),
        ),
    );
    const given = new Set(entriesOf(manifest).flatMap(([, entry]) => filesOf(entry, manifest)));
    for (const file of [...given].filter((one) => /\.[ch]$/.test(one))) {
      for (const [, header] of readFileSync(join(folder, file), "utf8").matchAll(/#\s*include "([^"]+)"/g))
        for (const [component, pattern] of Object.entries(components))
          if (pattern.test(header!)) expect([...asked], `${file}: ${header!}`).toContain(component);
    }
  });
});

describe("C of the drivers", () => {
  it("has every native function that its JavaScript names", () => {
    const native = drivers.filter((name) =>
      readdirSync(join(root, "drivers", name)).some((file) => file.endsWith(".c")),
    );
    expect(native).toEqual(expect.arrayContaining(["identity", "rs485", "slots", "tls", "ws2812"]));
    for (const folder of native) {
      const files = readdirSync(join(root, "drivers", folder));
      const text = (ending: string): string =>
        files
          .filter((file) => file.endsWith(ending))
          .map((file) => readFileSync(join(root, "drivers", folder, file), "utf8"))
          .join("\n");
      const named = [...text(".js").matchAll(/[Nn]ative\("(xs_\w+)"\)/g)].map((match) => match[1]!);
      expect(named.length, folder).toBeGreaterThan(1);
      for (const name of named) expect(text(".c"), name).toMatch(new RegExp(`void ${name}\\(`));
    }
  });

  it("says of every file that touches the chip that it was never run on hardware", () => {
    const host = ["tls-net.c", "tls-verify.c"]; // sockets and Mbed TLS as on a computer, where they run
    const chip =
      /#\s*include "(esp_|driver\/|nvs|lwip|freertos|hal\/|xsHost)|from "(embedded:|wifi|net|socket|timer?|preference|ucm\/)/;
    const files = drivers.flatMap((name) =>
      readdirSync(join(root, "drivers", name))
        .filter((file) => /(?<!\.d)\.(c|ts)$/.test(file) && !host.includes(file))
        .map((file) => join(name, file)),
    );
    const touching = files.filter((file) => chip.test(readFileSync(join(root, "drivers", file), "utf8")));
    expect(touching.length).toBeGreaterThan(15);
    for (const file of touching)
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
