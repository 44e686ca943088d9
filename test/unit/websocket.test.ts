/** The WebSocket client against RFC 6455, case by case as the Autobahn test suite sorts them. */
import { describe, expect, it } from "vitest";
import { toBase64 } from "../../src/base/base64.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { seededRandom } from "../../src/base/random.js";
import { utf8Encode } from "../../src/base/utf8.js";
import { closePayload, frame, FrameReader, type Incoming, OPCODE } from "../../src/websocket/frames.js";
import { acceptKey, AnswerReader, readAddress } from "../../src/websocket/handshake.js";
import { sha1 } from "../../src/websocket/sha1.js";
import { accepted, served, SocketRig, unmasked } from "../support/websocket-rig.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => utf8Encode(value);
/** The first that needs a length of eight bytes. The emulator takes a shorter one. */
const LONG = 2 ** 16;
const STREAMS = 2000;

function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What a reader makes of bytes: whole, and one at a time. */
function read(stream: Uint8Array, most = 100_000): Incoming[] {
  const whole: Incoming[] = [];
  new FrameReader(most).push(stream, (one) => whole.push(one));
  const single: Incoming[] = [];
  const reader = new FrameReader(most);
  for (const byte of stream) reader.push(bytes(byte), (one) => single.push(one));
  expect(single).toEqual(whole);
  return whole;
}

const offence = (code: number): unknown[] => [expect.objectContaining({ is: "offence", code })];

describe("SHA-1, base64 and the accept key", () => {
  it("RFC 6455 1.3", () => {
    expect(acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("FIPS 180", () => {
    expect(toHex(sha1(text("abc")))).toBe("A9993E364706816ABA3E25717850C26C9CD0D89D");
    expect(toHex(sha1(text("")))).toBe("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709");
    const long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    expect(toHex(sha1(text(long)))).toBe("84983E441C3BD26EBAAE4AA1F95129E5E54670F1");
  });

  it("RFC 4648 10", () => {
    const texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
    expect(texts.map((one) => toBase64(text(one)))).toEqual([
      "",
      "Zg==",
      "Zm8=",
      "Zm9v",
      "Zm9vYg==",
      "Zm9vYmE=",
      "Zm9vYmFy",
    ]);
  });
});

describe("RFC 6455 5.7, the examples", () => {
  it.each([
    ["an unmasked text", "8105 48656c6c6f", [{ is: "text", text: "Hello" }]],
    ["in two fragments", "010348656c 80026c6f", [{ is: "text", text: "Hello" }]],
    ["a ping", "890548656c6c6f", [{ is: "ping", payload: text("Hello") }]],
  ])("%s", (_, hex, wanted) => {
    expect(read(fromHex(hex)!)).toEqual(wanted);
  });

  it("a masked text of ours", () => {
    expect(toHex(frame(OPCODE.text, text("Hello"), 0x37fa213d))).toBe("818537FA213D7F9F4D5158");
  });
});

describe("1 framing: lengths", () => {
  it.each([0, 125, 126, 127, 128, LONG - 1, LONG])("a text of %i bytes, both ways", (length) => {
    const value = "*".repeat(length);
    expect(read(served(OPCODE.text, text(value)))).toEqual([{ is: "text", text: value }]);
    expect(unmasked(frame(OPCODE.text, text(value), 0xdeadbeef))).toEqual({
      opcode: OPCODE.text,
      payload: text(value),
    });
  });

  it("masks are fresh for each frame", () => {
    const rig = new SocketRig().opened();
    for (let i = 0; i < 50; i++) rig.client.send(1, "x");
    expect(new Set(rig.raw.map((one) => toHex(one.subarray(2, 6)))).size).toBe(50);
  });

  it.each([
    ["126 for 125 bytes", bytes(0x81, 126, 0, 125)],
    ["127 for 65535 bytes", bytes(0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff)],
    ["the highest bit", bytes(0x81, 127, 0x80, 0, 0, 0, 0, 1, 0, 0)],
    ["a masked frame of a server", bytes(0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9)],
  ])("%s: 1002", (_, stream) => expect(read(stream)).toEqual(offence(1002)));

  it("a binary message: 1003", () => expect(read(served(OPCODE.binary, bytes(1)))).toEqual(offence(1003)));
});

describe("2 pings and pongs", () => {
  it("a ping is answered with its payload, also between fragments", () => {
    const rig = new SocketRig().opened();
    rig.feed(bytes(0x01, 1, 0x61), served(OPCODE.ping, text("hm")), bytes(0x80, 1, 0x62));
    expect(rig.sent).toEqual([{ opcode: OPCODE.pong, payload: text("hm") }]);
    expect(rig.events.slice(1)).toEqual([{ id: 1, ev: "text", text: "ab" }]);
  });

  it("125 bytes are taken, 126 are not, nor parts", () => {
    expect(read(served(OPCODE.ping, new Uint8Array(125)))).toHaveLength(1);
    expect(read(bytes(0x89, 126, 0, 126))).toEqual(offence(1002));
    expect(read(bytes(0x09, 0))).toEqual(offence(1002));
  });

  it("a pong that nobody asked for is passed over", () => {
    const rig = new SocketRig().opened();
    rig.feed(served(OPCODE.pong, text("?")));
    expect(rig.sent).toEqual([]);
    expect(rig.events).toHaveLength(1);
  });
});

describe("3 reserved bits, 4 unknown kinds", () => {
  it.each([0xc1, 0xa1, 0x91, 0xf9, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f])(
    "first byte %i: 1002",
    (first) => expect(read(bytes(first, 0))).toEqual(offence(1002)),
  );
});

describe("5 fragments", () => {
  it("many, some empty", () => {
    const parts = [bytes(0x01, 0), ...["a", "b", ""].map((one) => joined(bytes(0, one.length), text(one)))];
    expect(read(joined(...parts, bytes(0x80, 1, 0x63)))).toEqual([{ is: "text", text: "abc" }]);
  });

  it.each([
    ["a continuation of nothing", bytes(0x80, 1, 0x61)],
    ["a new message within one", bytes(0x01, 1, 0x61, 0x81, 1, 0x62)],
    ["a continuation after the end", bytes(0x81, 1, 0x61, 0x00, 1, 0x62)],
  ])("%s: 1002", (_, stream) => expect(read(stream).slice(-1)).toEqual(offence(1002)));
});

describe("6 UTF-8", () => {
  it.each(["κόσμε", "\u{10ffff}", "\u0000", "\ud7ff\ue000\ufffd", "\ufeffx"])("%j is taken", (value) =>
    expect(read(served(OPCODE.text, text(value)))).toEqual([{ is: "text", text: value }]),
  );

  it("a character may be cut by fragments", () => {
    const [a, b, c] = text("€");
    expect(read(bytes(0x01, 1, a!, 0x00, 1, b!, 0x80, 1, c!))).toEqual([{ is: "text", text: "€" }]);
  });

  it.each([
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["overlong", [0xc0, 0xaf]],
    ["above the last", [0xf4, 0x90, 0x80, 0x80]],
    ["a lone continuation", [0x80]],
    ["cut at the end", [0xe2, 0x82]],
  ])("%s: 1007", (_, payload) =>
    expect(read(served(OPCODE.text, Uint8Array.from(payload)))).toEqual(offence(1007)),
  );

  it("fails at the byte that is wrong, not at the end of the message", () => {
    expect(read(bytes(0x01, 100, 0x61, 0xff))).toEqual(offence(1007));
  });
});

describe("7 the end", () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    "%i is echoed and told",
    (code) => {
      const rig = new SocketRig().opened();
      rig.feed(served(OPCODE.close, closePayload(code, "why")));
      expect(rig.sent).toEqual([{ opcode: OPCODE.close, payload: bytes(code >> 8, code & 0xff) }]);
      expect(rig.events.slice(1)).toEqual([{ id: 1, ev: "closed", code, reason: "why" }]);
    },
  );

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
    "%i may not be sent: 1002",
    (code) => expect(read(served(OPCODE.close, bytes(code >> 8, code & 0xff)))).toEqual(offence(1002)),
  );

  it("one byte: 1002; a reason that is not UTF-8: 1007; none: 1005, answered by an empty close", () => {
    expect(read(served(OPCODE.close, bytes(3)))).toEqual(offence(1002));
    expect(read(served(OPCODE.close, bytes(3, 0xe8, 0xff)))).toEqual(offence(1007));
    const rig = new SocketRig().opened();
    rig.feed(served(OPCODE.close, bytes()));
    expect(rig.sent).toEqual([{ opcode: OPCODE.close, payload: bytes() }]);
    expect(rig.events[1]).toMatchObject({ ev: "closed", code: 1005 });
  });

  it("what comes after a close is passed over, and the stream ended after two seconds at the latest", () => {
    const rig = new SocketRig().opened();
    rig.feed(served(OPCODE.close, closePayload(1000, "")), served(OPCODE.text, text("late")));
    expect(rig.events).toHaveLength(2);
    rig.run(1900);
    expect(rig.isStreamOpen).toBe(true);
    rig.run(200);
    expect(rig.isStreamOpen).toBe(false);
  });

  it("ours: close frame, then the stream when the server has answered; nothing is told any more", () => {
    const rig = new SocketRig().opened();
    rig.client.close(1, 1001, "restart");
    expect(rig.sent).toEqual([{ opcode: OPCODE.close, payload: closePayload(1001, "restart") }]);
    rig.feed(served(OPCODE.text, text("late")), served(OPCODE.close, closePayload(1001, "")));
    expect(rig.isStreamOpen).toBe(false);
    expect(rig.events).toHaveLength(1);
    rig.client.send(1, "into nothing");
  });

  it("an offence is answered with its code and told", () => {
    const rig = new SocketRig().opened();
    rig.feed(bytes(0x82, 1, 1));
    expect(rig.sent[0]).toMatchObject({
      opcode: OPCODE.close,
      payload: closePayload(1003, "a binary message"),
    });
    expect(rig.events[1]).toMatchObject({ ev: "closed", code: 1003 });
  });

  it("without a goodbye: 1006", () => {
    const rig = new SocketRig().opened();
    rig.client.onStream({ id: 1, ev: "closed" });
    expect(rig.events[1]).toMatchObject({ ev: "closed", code: 1006 });
  });
});

describe("9 bounds", () => {
  it("a message that is too long is refused at its head: 1009, in one frame or many", () => {
    expect(read(bytes(0x81, 127, 0, 0, 0, 0, 0x7f, 0, 0, 0), 1000)).toEqual(offence(1009));
    const part = joined(bytes(0x00, 100), new Uint8Array(100).fill(0x61));
    const many = joined(bytes(0x01, 0), ...Array.from({ length: 11 }, () => part));
    expect(read(many, 1000)).toEqual(offence(1009));
    expect(read(served(OPCODE.text, new Uint8Array(1000).fill(0x61)), 1000)).toHaveLength(1);
  });
});

describe("the opening handshake", () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const good = accepted(key);
  const judge = (head: string): unknown => new AnswerReader(key).push(text(head));

  it("asks as 4.1 has it, with basic authentication", () => {
    const rig = new SocketRig({ password: "pa:ss ü" });
    rig.open({ url: "wss://csms.example:8443/ocpp/CP%201?x=1", user: "CP 1" });
    const head = rig.written();
    expect(head).toMatch(/^GET \/ocpp\/CP%201\?x=1 HTTP\/1\.1\r\nHost: csms\.example:8443\r\n/);
    expect(head).toContain("\r\nSec-WebSocket-Version: 13\r\n");
    expect(head).toContain("\r\nSec-WebSocket-Protocol: ocpp1.6\r\n");
    const basic = toBase64(text("CP 1:pa:ss ü"));
    expect(head).toContain(`\r\nAuthorization: Basic ${basic}\r\n`);
    expect(/Sec-WebSocket-Key: (.*)\r\n/.exec(head)![1]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
  });

  it("takes a right answer, whatever the case and order of its fields, and what follows at once", () => {
    const lax = good
      .replace("Upgrade: websocket", "uPGRADE:WebSocket")
      .replace("Connection: Upgrade", "connection: keep-alive, upgrade");
    expect(judge(lax)).toMatchObject({ ok: true, subprotocol: "ocpp1.6" });
    const cookie = `\r\nSet-Cookie: ${"x".repeat(3000)}\r\n\r\n`;
    expect(judge(good.replace("\r\n\r\n", cookie))).toMatchObject({ ok: true });
    const rig = new SocketRig();
    rig.open();
    rig.feed(text(accepted(rig.key)), served(OPCODE.text, text("[]")));
    expect(rig.events).toEqual([
      { id: 1, ev: "open", subprotocol: "ocpp1.6" },
      { id: 1, ev: "text", text: "[]" },
    ]);
  });

  it.each([
    ["another accept key", good.replace(/Accept: ./, "Accept: X"), "accept-key"],
    ["no accept key", good.replace(/Sec-WebSocket-Accept.*\r\n/, ""), "accept-key"],
    ["its accept key twice", good.replace(/(Sec-WebSocket-Accept.*\r\n)/, "$1$1"), "accept-key"],
    ["no upgrade", good.replace("Upgrade: websocket\r\n", ""), "protocol"],
    ["another upgrade", good.replace("websocket", "h2c"), "protocol"],
    ["no connection", good.replace("Connection: Upgrade\r\n", ""), "protocol"],
    [
      "an extension",
      good.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
      "protocol",
    ],
    ["a line that is no field", good.replace("\r\n\r\n", "\r\nnonsense\r\n\r\n"), "protocol"],
    ["HTTP/1.0", good.replace("HTTP/1.1", "HTTP/1.0"), "protocol"],
    ["no HTTP", "220 mail.example ESMTP\r\n\r\n", "protocol"],
    ["a line without end", good.replace("\r\n", `\r\nSet-Cookie: ${"x".repeat(9000)}\r\n`), "protocol"],
    ["a head without end", "HTTP/1.1 101 X\r\n" + "a: b\r\n".repeat(2000), "protocol"],
    ["401", "HTTP/1.1 401 Unauthorized\r\n\r\n", "http-401"],
    ["503", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\n", "http-503"],
    [
      "a redirection, which is not followed",
      "HTTP/1.1 301 Moved\r\nLocation: wss://evil.example/\r\n\r\n",
      "http-301",
    ],
  ])("refuses %s: %s", (_, head, reason) => {
    expect(judge(head)).toMatchObject({ ok: false, reason });
  });

  it("no subprotocol is told as none: the firmware refuses it", () => {
    expect(judge(good.replace(/Sec-WebSocket-Protocol.*\r\n/, ""))).toMatchObject({
      ok: true,
      subprotocol: "",
    });
  });

  it.each([
    ["wss://a/b", { host: "a", port: 443, path: "/b" }],
    ["wss://[::1]:9/x", { host: "::1", port: 9, authority: "[::1]:9" }],
    ["ws://127.0.0.1:80", { secure: false, path: "/" }],
    ["wss://a?q#f", { path: "/?q" }],
  ])("%s is read", (url, wanted) => expect(readAddress(url)).toMatchObject(wanted));

  it.each([
    "https://a/",
    "wss://",
    "wss://a:0/",
    "wss://a:x/",
    "wss://u@a/",
    "wss://a/\r\nX: y",
    "wss://[::1/",
    "wss://a b/",
  ])("%j is no address", (url) => expect(readAddress(url)).toBeUndefined());

  it("an address that is none, a server that is silent, one that ends it: failed, and nothing is left open", () => {
    for (const [what, reason] of [
      ["address", "protocol"],
      ["silent", "timeout"],
      ["ended", "closed"],
      ["reason", "tls-untrusted"],
    ] as const) {
      const rig = new SocketRig();
      rig.open(what === "address" ? { url: "mailto:x" } : {});
      if (what === "ended") rig.client.onStream({ id: 1, ev: "closed" });
      if (what === "reason") rig.client.onStream({ id: 1, ev: "failed", reason, text: "" });
      rig.run(what === "silent" ? 30_000 : 1);
      expect(rig.events).toEqual([expect.objectContaining({ id: 1, ev: "failed", reason })]);
      expect(rig.client.nextMs()).toBe(Infinity);
      if (what === "silent") expect(rig.isStreamOpen).toBe(false);
    }
  });
});

describe("keep-alive", () => {
  it("pings, and ends the connection where no pong came until the next", () => {
    const rig = new SocketRig().opened({ pingMs: 60_000 });
    rig.run(60_000);
    expect(rig.sent).toEqual([{ opcode: OPCODE.ping, payload: bytes() }]);
    rig.feed(served(OPCODE.pong, bytes()));
    rig.run(60_000);
    expect(rig.sent).toHaveLength(2);
    rig.run(60_000);
    expect(rig.events[1]).toMatchObject({ ev: "closed", code: 1006 });
    expect(rig.isStreamOpen).toBe(false);
  });

  it("can be changed, and turned off", () => {
    const rig = new SocketRig().opened({ pingMs: 60_000 });
    rig.client.keepAlive(1, 0);
    rig.run(600_000);
    expect(rig.sent).toEqual([]);
    rig.client.keepAlive(1, 1000);
    rig.run(1001);
    expect(rig.sent).toHaveLength(1);
  });
});

describe("a new password", () => {
  const authorization = (rig: SocketRig): string => {
    const head = rig.written();
    rig.raw.length = 0;
    return /Authorization: Basic (.*)\r\n/.exec(head)?.[1] ?? "";
  };

  it("is kept when the server takes it", () => {
    const rig = new SocketRig({ password: "old" });
    rig.client.setPassword("platform", "new");
    rig.open();
    expect(authorization(rig)).toBe(toBase64(text("CP-1:new")));
    expect(rig.kept).toEqual([]);
    rig.feed(text(accepted(rig.key)));
    expect(rig.kept).toEqual([["platform", "new"]]);
  });

  it("is dropped for the old one when the server says 401, and not when it merely fails", () => {
    const rig = new SocketRig({ password: "old" });
    rig.client.setPassword("platform", "new");
    for (const [answer, next] of [
      ["HTTP/1.1 503 X\r\n\r\n", "new"],
      ["HTTP/1.1 401 X\r\n\r\n", "old"],
    ] as const) {
      rig.open();
      expect(authorization(rig)).toBe(toBase64(text("CP-1:new")));
      rig.feed(text(answer));
      rig.open();
      expect(authorization(rig)).toBe(toBase64(text(`CP-1:${next}`)));
    }
    expect(rig.kept).toEqual([]);
  });
});

it("random streams of bytes never throw", () => {
  const random = seededRandom(3);
  for (let i = 0; i < STREAMS; i++) {
    const stream = Uint8Array.from({ length: random.uint32() % 60 }, () => random.uint32() & 0xff);
    read(stream, 50);
  }
});
