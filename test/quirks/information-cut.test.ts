/**
 * Information replies that end inside a member. PYCTA sends 51 bytes: three of the five of its firmware. What is
 * whole is read, what is not is kept, and the bytes come back as they came.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { describe as say, parseMessage, payloadLength, payloadOf } from "../../src/wire/codec.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";
import { emitFrame } from "../../src/wire/frame.js";
import type { DeviceInformation, IntermediateMessage } from "../../src/wire/message.js";
import { FakeAppliance } from "../support/fake-appliance.js";

const whole = fromHex(
  "01 81 00 00 42 00 0C 11 02 00 01 00 00 00 03 00" +
    "41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F 50" +
    "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 1A 00 1F 02 0B",
)!;

function informationOf(payload: Uint8Array): DeviceInformation {
  const message = parseMessage(0x0802, payload) as IntermediateMessage;
  if (message.name !== "InformationReply" || message.information === undefined) {
    throw new Error(JSON.stringify(message));
  }
  return message.information;
}

describe("an information reply that ends inside a member", () => {
  it.each(Array.from({ length: 38 }, (_, i) => 16 + i))(
    "of %d bytes is taken, and comes back whole",
    (size) => {
      const payload = whole.subarray(0, size);
      const message = parseMessage(0x0802, payload) as IntermediateMessage;
      expect(isFault(message)).toBe(false);
      expect(payloadLength(message)).toBe(size);
      expect(toHex(payloadOf(message).payload)).toBe(toHex(payload));
      const value = informationOf(payload);
      expect(value).toMatchObject({ vendorId: 0x000c, deviceType: 0x1102, capabilities: 3 });
      expect(value.model).toBe(size >= 32 ? "ABCDEFGHIJKLMNOP" : undefined);
      expect(value.serial).toBe(size >= 48 ? "0123456789abcdef" : undefined);
      expect(value.firmware?.minor).toBe(size >= 53 ? 11 : undefined);
      const rest = [16, 32, 48, 53].includes(size) ? undefined : (size - 16) % 16;
      expect(value.tail?.length).toBe(rest);
      expect(say(message).includes("cut short")).toBe(rest !== undefined);
      const { hex, ...object } = decodeFrameText(emitFrame(0x0802, payload));
      const again = encodeFrame(JSON.parse(JSON.stringify(object)));
      expect(isFault(again) ? again : toHex(again, " ")).toBe(hex);
    },
  );

  it("under 16 and over 53 bytes stays a fault", () => {
    for (let size = 4; size < 16; size++) {
      expect(parseMessage(0x0802, whole.subarray(0, size))).toMatchObject({ fault: "bad-payload-length" });
    }
    const longer = new Uint8Array(54);
    longer.set(whole);
    expect(parseMessage(0x0802, longer)).toMatchObject({ fault: "bad-payload-length" });
  });

  it("a tail behind a whole firmware has no place", () => {
    const information = { ...informationOf(whole), tail: "x" };
    const message = {
      family: "intermediate",
      name: "InformationReply",
      responseCode: 0,
      information,
    } as const;
    expect(payloadLength(message)).toBe(-1);
  });

  it("the reply recorded from PYCTA (51 bytes)", () => {
    const url = new URL("../vectors/recorded/pycta2045-as-appliance.json", import.meta.url);
    const { frames } = JSON.parse(readFileSync(url, "utf8")) as { frames: { hex: string }[] };
    const replies = frames.filter(({ hex }) => hex.startsWith("08 02 00 33 01 81"));
    expect(replies.length).toBeGreaterThan(0);
    for (const { hex } of replies) {
      const { ok, text, fields } = decodeFrameText(hex);
      expect(ok, text).toBe(true);
      expect(fields).toMatchObject({ information: { model: "1".repeat(16), serial: "1".repeat(16) } });
      expect(text).toContain("cut short");
    }
  });

  it("tells the session who the appliance is", () => {
    const appliance = new FakeAppliance({});
    appliance.react = (request) =>
      request.type === 0x0802 && request.payload[0] === 1 ? whole.slice(0, 51) : undefined;
    appliance.run(60_000);
    expect(appliance.status.link).toBe("online");
    expect(appliance.status.identity).toMatchObject({
      model: "ABCDEFGHIJKLMNOP",
      serial: "0123456789abcdef",
    });
  });
});
