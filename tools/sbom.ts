/**
 * Writes the software bill of materials, `dist/openucm.cdx.json` (CycloneDX 1.6, JSON). What npm brings is listed by
 * CycloneDX's own tool, in an exact version; what a device build brings beside it (tools/sbom-device.json) is added.
 * The tool is fetched when it is wanted and is no dependency: it would bring 160 packages for one command a release.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const tool = "@cyclonedx/cyclonedx-npm@6.0.1";
const out = new URL("../dist/openucm.cdx.json", import.meta.url);

interface DeviceComponent {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  readonly licence: string;
  readonly supplier: string;
  readonly purl: string;
}

interface Bom {
  metadata: { component?: { "bom-ref"?: string } };
  components: Record<string, unknown>[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

const run = spawnSync(
  "npx",
  [
    ...["--yes", tool, "--omit", "dev", "--output-reproducible"],
    ...["--spec-version", "1.6", "--output-format", "JSON", "--output-file", "-"],
  ],
  { encoding: "utf8", cwd: new URL("..", import.meta.url), maxBuffer: 64 * 1024 * 1024 },
);
if (run.status !== 0) {
  process.stderr.write(
    `${run.stderr}\n${tool} failed; it needs \`npm ci\` done and a way to the npm registry.\n`,
  );
  process.exit(1);
}
const bom = JSON.parse(run.stdout) as Bom;
const device = JSON.parse(
  readFileSync(new URL("sbom-device.json", import.meta.url), "utf8"),
) as DeviceComponent[];
for (const { name, version, about, licence, supplier, purl } of device) {
  bom.components.push({
    ...{ type: "library", name, version, "bom-ref": purl, purl, description: about },
    supplier: { name: supplier },
    licenses: [{ license: { id: licence } }],
    properties: [{ name: "openucm:part", value: "device build" }],
  });
  bom.dependencies.push({ ref: purl });
}
const own = bom.dependencies.find(({ ref }) => ref === bom.metadata.component?.["bom-ref"]);
own?.dependsOn?.push(...device.map(({ purl }) => purl));
own?.dependsOn?.sort();
mkdirSync(new URL(".", out), { recursive: true });
writeFileSync(out, `${JSON.stringify(bom, undefined, 2)}\n`);
process.stdout.write(`dist/openucm.cdx.json: ${bom.components.length} components\n`);
