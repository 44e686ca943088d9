// A hundred bad images and cut updates, and downloads that are broken off: run by a test and by `npm run measure`.
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { imageOf, PowerCut, Rig, TestRepo, type Behaviour } from "./update-rig.js";

const HOUR = 3_600_000;

export interface Recovered {
  readonly what: string;
  /** From the first moment in which the module did not run an image that is in order, ms; 0 = it always did. */
  readonly recoverMs: number;
  /** What went wrong; "" = the module is well and has taken the next good image. */
  readonly brick: string;
}

/** 24 sectors, and some. */
const IMAGE_BYTES = 24 * 4096 + 700;
const slotBytes = 0x4_0000;

function repoWith(image: Buffer): TestRepo {
  const repo = new TestRepo();
  repo.add("1.1.0", image);
  return repo;
}

/** The proof that a module is no brick: it takes the next image. */
function takesNext(rig: Rig, repo: TestRepo): string {
  if (rig.running === "1.1.0" && rig.behaviours.has("1.1.0")) return "the bad image runs";
  rig.onStep = () => undefined;
  rig.trouble = () => undefined;
  repo.add("1.2.0", imageOf(20_000, 9));
  const ok = rig.run(30 * HOUR, () => rig.running === "1.2.0" && !rig.slots.state.trial);
  return ok
    ? ""
    : `stays at ${rig.running}, ${rig.updater.status().phase}: ${rig.updater.status().last.text}`;
}

function badImage(behaviour: Behaviour, seed: number): Recovered {
  const repo = repoWith(imageOf(IMAGE_BYTES, seed));
  const rig = new Rig(repo, { seed, slotBytes });
  rig.behaviours.set("1.1.0", behaviour);
  let leftMs: number | undefined;
  rig.onStep = (what) => {
    if (what === "set boot: after") leftMs ??= rig.ms;
  };
  const back = rig.run(4 * HOUR, () => rig.told("update-rolled-back").length > 0);
  const recoverMs = rig.ms - (leftMs ?? rig.ms);
  const brick = back ? takesNext(rig, repo) : "it never came back";
  return { what: behaviour, recoverMs, brick };
}

/** A server that hands out a block with a wrong byte, and does so for a day. */
function corruptBlock(block: number): Recovered {
  const image = imageOf(IMAGE_BYTES);
  const repo = repoWith(image);
  const path = repo.files.list().find((one) => one.endsWith("bench-1.1.0.bin"))!;
  const bad = Buffer.from(image);
  bad[Math.min(block * 4096 + 17, bad.length - 1)]! ^= 1;
  repo.files.write(path, bad);
  const rig = new Rig(repo, { seed: block, slotBytes });
  const named = rig.run(4 * HOUR, () =>
    rig.told("update-refused").some((text) => text.startsWith("update-block")),
  );
  if (!named) return { what: "corrupt block", recoverMs: 0, brick: "it was not refused" };
  repo.files.write(path, image);
  return {
    what: "corrupt block",
    recoverMs: 0,
    brick: rig.running === "1.0.0" ? takesNext(rig, repo) : "it runs",
  };
}

/** Power goes at the step with this name, the `nth` time it comes. */
function cutAt(step: string, nth = 1, behaviour: Behaviour = "good"): Recovered {
  const repo = repoWith(imageOf(IMAGE_BYTES));
  const rig = new Rig(repo, { seed: nth, slotBytes });
  if (behaviour !== "good") rig.behaviours.set("1.1.0", behaviour);
  let seen = 0;
  let cutMs: number | undefined;
  rig.onStep = (what) => {
    if (what !== step || ++seen !== nth) return;
    cutMs = rig.ms;
    throw new PowerCut();
  };
  const end = (): boolean =>
    behaviour === "good"
      ? rig.told("update-installed").length > 0
      : rig.told("update-rolled-back").length > 0;
  // A trial that a power cut ends is a roll-back, after which the image waits for its next chance.
  const done = rig.run(60 * HOUR, end);
  const what = `power cut: ${step.replace(/\d+/, "")}`.trim();
  if (cutMs === undefined) return { what, recoverMs: 0, brick: `the step ${step} never came` };
  if (!done)
    return { what, recoverMs: 0, brick: `not ended: ${rig.running} ${rig.updater.status().last.text}` };
  return { what, recoverMs: 4000, brick: takesNext(rig, repo) };
}

/** A bad image or a cut update, by the words of the list that has to be survived. */
export interface BadImage {
  readonly kind: BadKind;
  run(): Recovered;
}

export const BAD_KINDS = [
  "crash at boot",
  "hang",
  "no Wi-Fi",
  "broken TLS",
  "dead link",
  "corrupt block",
  "power cut in a sector of the write",
  "power cut at a step of the switch",
] as const;
export type BadKind = (typeof BAD_KINDS)[number];

const BEHAVIOURS = [
  ["crash", "crash at boot"],
  ["hang", "hang"],
  ["no-network", "no Wi-Fi"],
  ["broken-tls", "broken TLS"],
  ["dead-link", "dead link"],
] as const;

/** The hundred. */
export function badImageCases(): readonly BadImage[] {
  const all: BadImage[] = [];
  const add = (kind: BadKind, run: () => Recovered): void => void all.push({ kind, run });
  for (const [behaviour, kind] of BEHAVIOURS)
    for (let seed = 1; seed <= 10; seed++) add(kind, () => badImage(behaviour, seed));
  for (let block = 0; block < 12; block++) add("corrupt block", () => corruptBlock(2 * block));
  // Each sector of the image, every other one at its erasure and the rest amid its pages.
  for (let sector = 0; sector < 25; sector++)
    add("power cut in a sector of the write", () =>
      cutAt(sector % 2 === 0 ? `erase ${sector * 4096}` : `write ${sector * 4096 + 512}`),
    );
  const steps: readonly (readonly [step: string, nth: number, behaviour: Behaviour])[] = [
    ...["spoil", "set boot", "boot", "confirm"].flatMap((step) =>
      ["before", "after"].map((when) => [`${step}: ${when}`, 1, "good"] as const),
    ),
    ["roll back: before", 1, "broken-tls"],
    ["roll back: after", 1, "broken-tls"],
    ["boot: before", 2, "crash"],
    ["boot: after", 2, "hang"],
    ["boot: after", 1, "no-network"],
  ];
  for (const step of steps) add("power cut at a step of the switch", () => cutAt(...step));
  return all;
}

/** One hundred of them; or every so many-th. */
export function badImages(every = 1): Recovered[] {
  return badImageCases().flatMap(({ run }, i) => (i % every === 0 ? [run()] : []));
}

export interface Interrupted {
  readonly imageBytes: number;
  /** Bodies of all answers: image, block hashes, metadata. */
  readonly fetchedBytes: number;
  readonly ratio: number;
  readonly heldBytes: number;
  readonly requests: number;
  readonly installed: boolean;
  /** How often it was broken off in fact. */
  readonly interruptions: number;
}

/**
 * A download that is broken off so often: connections in the middle of a piece, and power cuts anywhere in a sector, every
 * other of them in the middle of a page.
 */
export function interrupted(
  connections: number,
  powerCuts: number,
  imageBytes = 1_600_000,
  seed = 5,
): Interrupted {
  const random = seededRandom(seed);
  const repo = repoWith(imageOf(imageBytes, seed));
  const rig = new Rig(repo, { seed });
  const places = (count: number): Set<number> => {
    const set = new Set<number>();
    while (set.size < count) set.add(1 + uniformInt(random, Math.floor(imageBytes / 4096) - 3));
    return set;
  };
  const broken = places(connections);
  const cuts = new Map([...places(powerCuts)].map((sector) => [sector, uniformInt(random, 15)]));
  rig.trouble = ({ url, headers }) => {
    const range = /^bytes=(\d+)/.exec(headers.find(([name]) => name === "range")?.[1] ?? "");
    if (!range || !url.endsWith(".bin") || !broken.delete(Math.floor(Number(range[1]) / 4096)))
      return undefined;
    return { after: uniformInt(random, 4000) };
  };
  const image = imageOf(imageBytes, seed);
  let tears = false;
  rig.onStep = (what) => {
    const at = Number(/^write (\d+)$/.exec(what)?.[1] ?? -1);
    const page = cuts.get(Math.floor(at / 4096));
    if (tears || page === undefined || at % 4096 < page * 256) return;
    cuts.delete(Math.floor(at / 4096));
    if (cuts.size % 2 === 0) {
      tears = true;
      rig.slots.carryOut({ do: "write", id: -1, at, bytes: new Uint8Array(image.subarray(at, at + 48)) });
      tears = false;
    }
    throw new PowerCut();
  };
  let heldBytes = 0;
  const installed = rig.run(48 * HOUR, () => {
    heldBytes = Math.max(heldBytes, rig.updater.status().heldBytes);
    return rig.told("update-installed").length > 0;
  });
  const { bodyBytes, requests } = rig;
  return {
    imageBytes,
    fetchedBytes: bodyBytes,
    ratio: bodyBytes / imageBytes,
    heldBytes,
    requests,
    installed,
    interruptions: connections + powerCuts - broken.size - cuts.size,
  };
}
