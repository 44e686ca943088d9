import { describe, expect, it } from "vitest";
import { FrameViews } from "../../host-sim/bench/frame-views.js";

describe("frames as the page shows them", () => {
  it("measures the silence before each frame, and knows answers and replies from new requests", () => {
    const views = new FrameViews();
    const see = (dir: "tx" | "rx", hex: string, atMs: number) =>
      views.view({ event: "frame", dir, hex, fault: "", atMs }, 1_000_000 + atMs);
    // A frame of 8 bytes takes 4.2 ms, an answer 1 ms (19,200 bit/s).
    expect(see("tx", "0801000212 00D85F".replace(" ", ""), 100)).toMatchObject({
      gapMs: null,
      kind: "other",
      from: "module",
      text: "Query operational state",
    });
    expect(see("rx", "0600", 147)).toMatchObject({ gapMs: 46, kind: "answer", from: "charger" });
    expect(see("rx", "080100021302D163", 262)).toMatchObject({
      gapMs: 110.8,
      kind: "reply",
      from: "charger",
    });
    expect(see("tx", "0600", 309)).toMatchObject({ kind: "answer", from: "module" });
    expect(see("tx", "0801000201 0F".replace(" ", "") + "F642", 425)).toMatchObject({
      kind: "other",
      from: "module",
    });
    expect(see("rx", "FFFF", 500)).toMatchObject({ kind: "other", fields: {} });
  });
});
