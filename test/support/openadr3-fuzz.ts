// Mutations of valid 3.1 answers, fed to a VEN that is online: no throw, and no event half-applied.
import { seededRandom } from "../../src/base/random.js";
import type { GridEvent } from "../../src/grid/event.js";
import { readEvent } from "../../src/openadr3/events.js";
import type { Json } from "../../src/openadr3/json-stream.js";
import { Bench, event, at, object, type Body } from "../unit/openadr3-harness.js";

const READING = {
  emergency: false,
  setpointUnit: "",
  normalPrice: undefined,
  remoteReboot: false,
  remoteOverride: false,
} as const;

const KEEP = event("keep", { intervalPeriod: { start: at(60), duration: "PT9H" } }, { SIMPLE: [2] });

/** Valid events of every kind; also the dictionary from which mutations are spliced. */
const SEEDS: readonly Body[] = [
  event("e-1"),
  event("e-2", {
    intervalPeriod: { start: "0001-01-01T00:00:00Z", duration: "P9999Y", randomizeStart: "PT5M" },
  }),
  event("e-3", {
    duration: "P1D",
    priority: 3,
    reportDescriptors: [{ payloadType: "USAGE", numIntervals: 2, repeat: -1 }],
  }),
  event(
    "e-4",
    {
      payloadDescriptors: [
        { objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType: "PRICE", units: "KWH", currency: "EUR" },
      ],
    },
    { PRICE: [0.1, 0.2, 0.3], GHG: [1, 2, 3], IMPORT_CAPACITY_LIMIT: [4.5] },
  ),
  event("e-5", {
    intervals: [1, 2, 3].map((id) => ({
      id,
      intervalPeriod: { start: at(id * 100), duration: "PT1.5S" },
      payloads: [{ type: "CONTROL_LEVEL_OFFSET", values: [id] }],
    })),
  }),
  event("e-6", {}, { CURVE: [{ x: 1, y: 2 }], ALERT_OTHER: ['text \u00e9\ud83d\ude00 "quoted"'] }),
];

const SPLICES = [
  "null",
  "{}",
  "[]",
  "-1",
  "1e999",
  "1e-999",
  "0",
  "true",
  '""',
  '"P9999Y"',
  '"0001-01-01"',
  '"PT0S"',
  '"-PT1S"',
  "9007199254740993",
  '"__proto__"',
  '"\\u0000"',
  '"\\ud800"',
  "[[[[[[[[[[[[[[[[",
  "}",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "NaN",
  '"id":"e-1"',
  '"values":[]',
  '"type":"SIMPLE"',
  '"duration":"PT1S"',
];

export interface FuzzReport {
  readonly messages: number;
  readonly accepted: number;
}

/**
 * Feeds `count` mutated answers, one a poll. After each the core must hold what it held before, or exactly what a VEN
 * makes of that answer as a whole; and after all of it the VEN must still take a good answer.
 */
export function fuzzEvents(count: number, seed: number): FuzzReport {
  const random = seededRandom(seed);
  const pick = (below: number): number => random.uint32() % below;
  const bench = new Bench({ pollSeconds: 1 });
  bench.events = [KEEP];
  bench.start();
  let body = "";
  bench.instead = (request, path) =>
    path.startsWith("/events") && request.method === "GET"
      ? { status: 200, body: path.includes("skip=0") ? body : "[]" }
      : undefined;
  const keep = JSON.stringify(KEEP);
  const texts = SEEDS.map((one) => JSON.stringify(one));
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    // One or two beside the one that stays: a longer list only takes more time for the same mutations.
    const list = [keep, texts[pick(texts.length)]!];
    if (pick(2) === 0) list.push(texts[pick(texts.length)]!);
    body = mutate(`[${list.join(",")}]`, pick);
    const before = bench.held;
    const replaced = bench.replaced;
    bench.exchanges.length = 0;
    bench.logs.length = 0;
    bench.reports.length = 0;
    // Long enough for the next poll, and through any back-off: it is doubled up to 15 minutes.
    for (let tries = 0; bench.exchanges.length === 0 && tries < 1000; tries++) bench.run(1010);
    if (bench.replaced === replaced) {
      if (bench.held !== before) throw new Error(`held events changed without a word: ${body}`);
      continue;
    }
    accepted++;
    whole(bench.held, body);
    if (i % 50 === 0) {
      // Out of any failing state, so that the next thousand do not wait for minutes of virtual time.
      body = JSON.stringify([KEEP]);
      bench.run(2000);
    }
  }
  body = JSON.stringify([KEEP]);
  bench.run(3_600_000);
  if (bench.ven.status().state !== "online" || bench.held[0]?.id !== "keep")
    throw new Error("the VEN did not recover");
  return { messages: count, accepted };
}

/** What was accepted is JSON; every event in it is whole: as many intervals as a fresh VEN reads from it. */
function whole(held: readonly GridEvent[], body: string): void {
  const parsed = JSON.parse(body) as Body[];
  for (const one of held) {
    const id = one.id.replace(/~(price|guidance|order)$/, "");
    const source = parsed.find((candidate) => candidate["id"] === id);
    if (source === undefined) throw new Error(`event ${one.id} is nowhere in ${body}`);
    for (const { offsetMs, durationMs, ask } of one.intervals) {
      if (!(offsetMs >= 0 && durationMs >= 0) || ask === undefined)
        throw new Error(`bad interval from ${body}`);
      if ("value" in ask && !Number.isFinite(ask.value)) throw new Error(`bad value from ${body}`);
    }
    if (!Number.isFinite(one.revision) || !Number.isFinite(one.rank))
      throw new Error(`bad number from ${body}`);
    const types = new Set(
      (Array.isArray(source["intervals"]) ? (source["intervals"] as Body[]) : []).flatMap((interval) =>
        Array.isArray(interval?.["payloads"])
          ? (interval["payloads"] as Body[]).map((payload) => payload?.["type"])
          : [],
      ),
    );
    if (types.size === 0) throw new Error(`event ${one.id} asks for what nobody said: ${body}`);
    // All parts of an event, or none.
    const read = readEvent(source as Json, "utility", undefined, READING, undefined)?.grid ?? [];
    const parts = held.filter((other) => read.some((part) => part.id === other.id));
    if (parts.length !== read.length || parts.length === 0)
      throw new Error(`${one.id} is held in part: ${body}`);
  }
}

function mutate(text: string, pick: (below: number) => number): string {
  let out = text;
  for (let n = 1 + pick(3); n > 0; n--) {
    const at = pick(out.length + 1);
    switch (pick(8)) {
      case 0:
        out = out.slice(0, at) + out.slice(at + 1 + pick(20));
        break;
      case 1:
        out = out.slice(0, at) + SPLICES[pick(SPLICES.length)]! + out.slice(at);
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out = out.slice(0, at) + String.fromCharCode(pick(128)) + out.slice(at + 1);
        break;
      case 4: {
        const from = pick(out.length + 1);
        out = out.slice(0, at) + out.slice(from, from + pick(60)) + out.slice(at);
        break;
      }
      case 5:
        out = value(out, pick, SPLICES[pick(SPLICES.length)]!);
        break;
      case 6:
        out = value(out, pick, String(pick(100_000) - 50_000));
        break;
      default:
        out = value(
          out,
          pick,
          `"${["PT1H", "SIMPLE", "PRICE", "now", "e-1", "keep", "2026-13-01T00:00:00Z", "KW"][pick(8)]!}"`,
        );
    }
  }
  return out;
}

/** Puts something in the place of a whole value, so that the message stays JSON. */
function value(text: string, pick: (below: number) => number, by: string): string {
  const colons = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|null|true|false)/g)];
  const found = colons[pick(Math.max(1, colons.length))];
  if (found === undefined) return text;
  return `${text.slice(0, found.index + 1)}${by}${text.slice(found.index + found[0].length)}`;
}

/** The same for the other answers: token, programmes, registration, reports. */
export function fuzzSession(count: number, seed: number): number {
  const random = seededRandom(seed);
  const pick = (below: number): number => random.uint32() % below;
  let online = 0;
  for (let i = 0; i < count; i++) {
    const bench = new Bench();
    bench.events = [KEEP];
    bench.vens = pick(2) === 0 ? [] : [object("VEN", "v-1", { venName: "module-1", targets: ["a"] })];
    const victim = pick(8);
    let n = 0;
    bench.instead = (request, path) => {
      if (n++ !== victim) return undefined;
      const good: Record<string, unknown> = {
        "/auth/server": { tokenURL: request.url.replace("/auth/server", "/auth/token") },
        "/auth/token": { access_token: "token-1", token_type: "Bearer", expires_in: 3600 },
        "/programs": [object("PROGRAM", "p-1", { programName: "tou" })],
      };
      const answer = good[path.split("?")[0]!] ?? bench.vens;
      return { status: [200, 200, 201, 400, 404, 500][pick(6)]!, body: mutate(JSON.stringify(answer), pick) };
    };
    bench.start();
    bench.instead = () => undefined;
    bench.run(1_800_000);
    if (bench.ven.status().state !== "online" || bench.held[0]?.id !== "keep") {
      throw new Error(
        `the VEN did not recover from a wrong answer ${victim}: ${JSON.stringify(bench.ven.status())}`,
      );
    }
    online++;
  }
  return online;
}
