// Every message that our VEN emits in its unit tests (many situations, each payload type) is valid against the
// 2.0b schema that ships with OpenLEADR.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { interopFile, openleadrPython } from "./openleadr-venv.js";

interface Verdict {
  readonly valid: Record<string, number>;
  readonly wrong: readonly { file: string; errors: string[] }[];
}

function validate(folder: string): Verdict {
  const run = spawnSync(openleadrPython(), [interopFile("validate_xsd.py"), folder], {
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  if (run.stdout === "") throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Verdict;
}

describe("messages of our VEN against the 2.0b schema", () => {
  it("are valid, and all sixteen kinds occur", () => {
    const folder = mkdtempSync(join(tmpdir(), "oadr-xsd-"));
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const run = spawnSync(
      process.execPath,
      [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/unit/openadr2"],
      { cwd: root, env: { ...process.env, OPENUCM_OPENADR2_DUMP: folder }, encoding: "utf8" },
    );
    expect(run.status, run.stdout + run.stderr).toBe(0);
    const { valid, wrong } = validate(folder);
    rmSync(folder, { recursive: true, force: true });
    expect(wrong).toEqual([]);
    expect(Object.keys(valid).sort()).toEqual([
      "oadrCancelOpt",
      "oadrCancelPartyRegistration",
      "oadrCanceledPartyRegistration",
      "oadrCanceledReport",
      "oadrCreateOpt",
      "oadrCreatePartyRegistration",
      "oadrCreatedEvent",
      "oadrCreatedReport",
      "oadrPoll",
      "oadrQueryRegistration",
      "oadrRegisterReport",
      "oadrRegisteredReport",
      "oadrRequestEvent",
      "oadrResponse",
      "oadrUpdateReport",
      "oadrUpdatedReport",
    ]);
    expect(Object.values(valid).reduce((a, b) => a + b)).toBeGreaterThan(500);
  }, 600_000);

  it("would be found out: the validator sees a wrong child order", () => {
    const folder = mkdtempSync(join(tmpdir(), "oadr-xsd-"));
    const spaces =
      'xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07" xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"';
    writeFileSync(
      join(folder, "wrong.xml"),
      `<oadr:oadrPayload ${spaces}><oadr:oadrSignedObject><oadr:oadrPoll><ei:vtnID>x</ei:vtnID></oadr:oadrPoll></oadr:oadrSignedObject></oadr:oadrPayload>`,
    );
    expect(validate(folder).wrong).toHaveLength(1);
    rmSync(folder, { recursive: true, force: true });
  });
});
