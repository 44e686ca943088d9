/**
 * The conformance plan judges rightly: our charger and our module keep all of it, and every planted fault is
 * found by the test that names it. All in virtual time.
 */
import { describe, expect, it } from "vitest";
import { brokenPeers } from "../../host-sim/conformance/broken-peers.js";
import { sgdPeer, ucmPeer, type MakePeer } from "../../host-sim/conformance/peers.js";
import type { Role } from "../../host-sim/conformance/plan.js";
import type { Runner } from "../../host-sim/conformance/runner.js";
import { allTests, selectTests } from "../../host-sim/conformance/tests/all.js";
import { runVirtually } from "../../host-sim/conformance/virtual.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";

const charger = loadProfile("evse-level2-32a");

/** What did not pass, by id, with its reason. */
function others(runner: Runner): Record<string, string> {
  return Object.fromEntries(
    runner.results
      .filter(({ verdict }) => verdict !== "pass")
      .map(({ test, verdict, reason }) => [test.id, `${verdict}: ${reason}`]),
  );
}

function everything(role: Role, peer: MakePeer, seed: number): Runner {
  // Strict: weak sources count too.
  return runVirtually({ role, peer, tests: selectTests(role, { all: true }), seed, strict: true });
}

describe("sound peers keep the whole plan, strictly", () => {
  it.each([1, 2, 3])("the simulated charger, seed %d", (seed) => {
    const runner = everything("ucm", sgdPeer({ profile: charger, bitRates: 3 }), seed);
    expect(others(runner)).toEqual({});
    expect(runner.results).toHaveLength(allTests.filter(({ roles }) => roles.includes("ucm")).length);
  });

  it.each([1, 2, 3])("the module, seed %d", (seed) => {
    const runner = everything("sgd", ucmPeer(), seed);
    expect(others(runner)).toEqual({
      "rate.change": "not-applicable: refused with NAK 07 (request not supported)",
      "module.end-shed":
        "inconclusive: no load command within 10 min: have the utility send the module a short event",
    });
  });

  it("a charger with late answers that are still allowed", () => {
    const runner = everything("ucm", sgdPeer({ profile: loadProfile("evse-slow") }), 1);
    expect(others(runner)).toEqual({
      "rate.change": "not-applicable: refused with NAK 07 (request not supported)",
    });
  });

  it("a charger that takes nothing but Shed is asked for no more", () => {
    const runner = everything("ucm", sgdPeer({ profile: loadProfile("evse-shed-only") }), 1);
    const verdicts = new Set(Object.values(others(runner)).map((text) => text.split(":")[0]));
    expect([...verdicts]).toEqual(["not-applicable"]);
    expect(runner.results.find(({ test }) => test.id === "basic.end-shed-state")?.verdict).toBe("pass");
  });

  it.each([1, 2, 3])(
    "the certified water heater fails in nothing but what its deaf seconds swallow, seed %d",
    (seed) => {
      const peer = sgdPeer({ profile: loadProfile("water-heater-heat-pump") });
      const runner = runVirtually({ role: "ucm", peer, tests: selectTests("ucm", { all: true }), seed });
      const verdicts = others(runner);
      // It hears nothing for 0.9 s after its own payload query, every 15 to 22 s.
      const fails = Object.values(verdicts).filter((text) => text.startsWith("fail"));
      expect(fails.length, JSON.stringify(verdicts)).toBeLessThanOrEqual(3);
      for (const text of fails) expect(text).toMatch(/^fail: no (link answer|reply)/);
      expect(verdicts).toMatchObject({
        "basic.power-level": expect.stringMatching(/^not-applicable/) as unknown,
        "link.ack-earliest": expect.stringMatching(/^advice/) as unknown,
        "rate.change": expect.stringMatching(/^not-applicable/) as unknown,
      });
      for (const id of ["frames.whole", "frames.noise", "link.nak-length", "rate.unknown"])
        expect(verdicts[id], id).toBeUndefined();
    },
  );

  it("without a plug to pull, silence stands for it", () => {
    const tests = selectTests("sgd", { only: ["plug.idle", "plug.mid-frame", "plug.mid-exchange"] });
    const runner = runVirtually({ role: "sgd", peer: ucmPeer(), tests, plugs: false });
    expect(others(runner)).toEqual({});
  });
});

describe("planted faults are found by name", () => {
  const peers = brokenPeers(charger);

  it("there are at least twelve for each part", () => {
    for (const role of ["ucm", "sgd"]) {
      expect(peers.filter((peer) => peer.role === role).length).toBeGreaterThanOrEqual(12);
    }
  });

  /** Tests that some broken peer has not passed. */
  const seen = new Set<string>();

  it.each(peers)("$role: $name: $text", (peer) => {
    const ordinary = selectTests(peer.role, {}).map(({ id }) => id);
    const tests = selectTests(peer.role, { only: [...ordinary, ...peer.caughtBy] });
    const { results } = runVirtually({ role: peer.role, peer: peer.make(), tests });
    const [first] = peer.caughtBy;
    for (const { test, verdict } of results)
      if (verdict === "fail" || verdict === "advice") seen.add(test.id);
    for (const id of peer.caughtBy) {
      const result = results.find(({ test }) => test.id === id);
      const weak = allTests.find((test) => test.id === id)?.mark !== "C";
      const expected = weak || (peer.isAdvice === true && id === first) ? "advice" : "fail";
      expect(`${id} ${result?.verdict}`, result?.reason).toBe(`${id} ${expected}`);
      expect(result!.trace.length, "a trace to look at").toBeGreaterThan(0);
    }
  });

  it("no test passes every broken peer: each can tell", () => {
    expect(allTests.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
  });
});
