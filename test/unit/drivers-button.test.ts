// The module's button and lamp over stand-ins for the pins: what a finger, a bad contact and a short circuit become.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Button, LampPin } from "../../drivers/button/button.js";
import type { Lamp } from "../../src/health/lamp.js";

/** Presses told while `pressed` runs from 0 to `endMs`, asked every 5 ms. */
function told(pressed: (ms: number) => boolean, endMs: number): number[] {
  let ms = 0;
  const button = new Button(() => pressed(ms));
  const all: number[] = [];
  for (; ms <= endMs; ms += 5) {
    const held = button.turn(ms);
    if (held !== undefined) all.push(held);
  }
  return all;
}

describe("the button", () => {
  it.each([50, 1000, 9990, 10_000, 30_000])("tells a press of %i ms when it is let go, once", (ms) => {
    expect(told((at) => at >= 100 && at < 100 + ms, 70_000)).toEqual([ms]);
  });

  it("takes contacts that bounce at both ends for one press", () => {
    const bounces = (at: number, from: number): boolean => at >= from && (at > from + 25 || at % 10 < 5);
    expect(told((at) => bounces(at, 100) && !bounces(at, 2100), 5000)).toHaveLength(1);
    const [held] = told((at) => bounces(at, 100) && !bounces(at, 2100), 5000);
    expect(Math.abs(held! - 2000)).toBeLessThanOrEqual(30);
  });

  it("does not take a disturbance for a press, nor let one end a press", () => {
    expect(told((at) => at % 1000 < 25 && at > 500, 60_000)).toEqual([]);
    expect(told((at) => at >= 100 && at < 10_200 && at % 1000 >= 25, 20_000)).toHaveLength(1);
  });

  it("tells nothing of one that is held from the start, and the next press is told", () => {
    expect(told((at) => at < 20_000, 30_000)).toEqual([]);
    expect(told((at) => at < 20_000 || (at >= 25_000 && at < 27_000), 30_000)).toEqual([2000]);
  });

  it("tells nothing of a short circuit, and resets nothing by it", () => {
    expect(told((at) => at >= 100 && at < 70_000, 80_000)).toEqual([]);
    expect(told((at) => at >= 100, 80_000)).toEqual([]);
  });
});

describe("the lamp", () => {
  /** ms of each change in the first `endMs`. */
  function changes(lamp: Lamp, endMs: number): string[] {
    let ms = 0;
    const all: string[] = [];
    const pin = new LampPin((on) => all.push(`${on ? "on" : "off"} ${ms}`) > 0);
    pin.turn(0);
    pin.set(lamp, 0);
    for (; ms < endMs; ms += 5) pin.turn(ms);
    return all;
  }

  it("blinks as docs/owner-page.md tells, and burns where all is well", () => {
    expect(changes("setup", 2000)).toEqual(["on 0", "off 500", "on 1000", "off 1500"]);
    expect(changes("no-utility", 2000)).toEqual(["on 0", "off 100", "on 300", "off 400"]);
    expect(changes("well", 10_000)).toEqual(["on 0"]);
  });

  it("shows the next word from its beginning", () => {
    const all: boolean[] = [];
    const pin = new LampPin((on) => all.push(on) > 0);
    pin.set("no-network", 0);
    pin.turn(150);
    pin.set("well", 200);
    expect(all).toEqual([true, false, true]);
  });

  it("is asked again where it could not be lit", () => {
    let tries = 0;
    const pin = new LampPin(() => ++tries > 2);
    pin.set("well", 0);
    for (let ms = 5; ms < 100; ms += 5) pin.turn(ms);
    expect(tries).toBe(3);
  });
});

describe("what is told of the boards' button and lamp", () => {
  const root = new URL("../../", import.meta.url);
  const textOf = (path: string): string => readFileSync(new URL(path, root), "utf8");
  const boards = readdirSync(new URL("boards/", root)).filter((name) =>
    existsSync(new URL(`boards/${name}/host/provider.js`, root)),
  );
  const ownerPage = textOf("docs/owner-page.md");

  it.each(boards)("%s", (board) => {
    const provider = textOf(`boards/${board}/host/provider.js`);
    const readme = textOf(`boards/${board}/README.md`);
    const pin = (name: string, text: string, rule: RegExp): void =>
      expect([name, rule.exec(readme)?.[1]]).toEqual([name, new RegExp(text).exec(provider)?.[1]]);
    pin("button", "button: (\\d+)", /button (\d+)/);
    pin("lamp", "lamp: \\{ pin: (\\d+)", /LED (?:\(WS2812\) )?(\d+)/);
    expect(provider).toContain("button:");
    const listed = provider.includes("ws2812: true")
      ? /WS2812 \(([^);]*)/
      : provider.includes("lamp:")
        ? /plain LED \(([^)]*)/
        : /`drivers\/ws2812`\)\. ([\w-]+) has none/;
    expect(listed.exec(ownerPage)?.[1]?.split(", ")).toContain(board);
  });
});
