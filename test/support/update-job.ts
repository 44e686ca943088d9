import { MachineRig } from "./update-machine.js";
import { imageOf, TestRepo } from "./update-rig.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";

/** Takes an image, then meets a forged timestamp; answers the state and the security log. Throws where it got stuck. */
export async function updateJob(
  engine: Engine,
): Promise<{ readonly state: Readonly<Record<string, unknown>>; readonly security: string }> {
  const repo = new TestRepo();
  repo.add("1.1.0", imageOf(20_000));
  const rig = new MachineRig(engine, repo);
  const said = (words: string) => (): boolean => rig.logs.some((text) => text.startsWith(words));
  if (!(await rig.run(4 * 3_600_000, said("update-installed: 1.1.0"))))
    throw new Error(`stuck: ${rig.logs.join(" | ")}`);
  const text = repo.files.read("metadata/timestamp.json")!.toString();
  repo.files.write("metadata/timestamp.json", Buffer.from(text.replace('"version":2', '"version":9')));
  if (!(await rig.run(4 * 3_600_000, said("update-refused"))))
    throw new Error(`not refused: ${rig.logs.join(" | ")}`);
  rig.put({ k: "state" });
  rig.put({ k: "journal", what: "security", role: "owner", format: "csv" });
  await rig.run(60_000, () => rig.lines.length > 0);
  return { state: rig.state, security: rig.lines.join("\n") };
}
