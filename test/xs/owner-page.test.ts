/** The module's own pages in the XS engine: login, the page, an order, by requests as they come over the air. */
import { expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import type { Output } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH-P";

/** Answers as text what each request of a visit came to. */
async function visit(engine: Engine): Promise<string[]> {
  const config = readConfig({
    upstreams: [{ id: "utility", protocol: "openadr2b", url: "https://vtn.example/", venName: "m" }],
    region: "uk",
  }) as UcmConfig;
  let nowMs = 1000;
  let id = 0;
  const step = async (input: Parameters<Engine["step"]>[0]["in"]): Promise<readonly Output[]> =>
    (await engine.step({ nowMs: (nowMs += 100), utcMs: 1_780_315_200_000 + nowMs, in: input })).out;
  const web = { ownerSecret: SECRET, fresh: false, settable: true };
  await step([{ k: "boot", config, store: {}, seed: [1, 2, 3, 4], web }]);
  const ask = async (method: string, target: string, body = "", cookie = "") => {
    const host = "192.168.4.1";
    const request = { id: ++id, method, target, body, cookie, host, origin: "", site: "" };
    const answer = (await step([{ k: "web", request }])).find((output) => output.k === "web");
    return answer!.k === "web" ? answer!.response : undefined;
  };
  const login = await ask("POST", "/login", `secret=${SECRET}`);
  const cookie = login!.headers.find(([name]) => name === "set-cookie")![1].split(";")[0]!;
  const seen = [];
  for (const path of ["/", "/history", "/settings", "/setup", "/style.css", "/nothing"]) {
    const { status, body } = (await ask("GET", path, "", cookie))!;
    seen.push(`${path} ${status} ${body}`);
  }
  const form = /name="form" value="(\w+)"/.exec(seen[0]!)![1]!;
  const done = (await ask("POST", "/order", `form=${form}&do=accept-schedule`, cookie))!;
  seen.push(`order ${done.status} ${done.body}`);
  return seen;
}

it("serves in XS, letter by letter, what it serves on Node", async () => {
  const node = nodeEngine();
  const xs = await xsWorkerEngine();
  try {
    const expected = await visit(node);
    expect(expected[0]).toContain("/ 200 <!doctype html>");
    expect(expected.at(-1)).toContain("order 200");
    expect(await visit(xs)).toEqual(expected);
  } finally {
    xs.close();
    node.close();
  }
});
