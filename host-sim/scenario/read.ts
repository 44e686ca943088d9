import { dirname, join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { isFault, type Fault } from "../../src/base/fault.js";
import { readConfig } from "../../src/setup/config.js";
import { check } from "../../src/setup/spec.js";
import { csmsUpstream } from "../virtual/virtual-bench.js";
import { faultNames } from "../sgd/faults.js";
import { loadProfile, profileNames, type SgdProfile } from "../sgd/profile.js";
import { readProfile } from "../sgd/profile-model.js";
import { isFieldError, type EventContent } from "../vtn/event.js";
import { readEvent } from "../vtn/event-read.js";
import type { EventInput, Expectation, Mistake, PageAction, Scenario, Step } from "./model.js";
import { Positions } from "./positions.js";
import { ACTIONS, CONDITIONS, PLATFORM_ACTIONS, scenarioSpec, UTILITY_ACTIONS } from "./spec.js";

/** 2026-06-01T12:00:00Z, a Monday. */
const DEFAULT_UTC_MS = Date.UTC(2026, 5, 1, 12);

/** Where the virtual bench's utility is. */
const UPSTREAM = {
  id: "utility",
  protocol: "openadr2b",
  url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
  venName: "module",
};

interface Raw {
  readonly title: string;
  readonly why: string;
  readonly bench?: {
    readonly profile?: string;
    readonly profileChanges?: Readonly<Record<string, object>>;
    readonly module?: Readonly<Record<string, unknown>>;
    readonly platform?: boolean;
    readonly page?: "set-up" | "new";
    readonly emergency?: boolean;
    readonly pollSeconds?: number;
    readonly start?: string;
    readonly plugged?: boolean;
    readonly settle?: boolean;
    readonly seed?: number;
  };
  readonly steps: readonly Step[];
}

/**
 * A scenario from the text of a YAML or JSON file, or every mistake in it.
 * @param path of the file: its name names the scenario, its folder is where a profile file is looked for
 */
export function readScenario(text: string, path: string): Scenario | readonly Mistake[] {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, version: "1.2" });
  if (document.errors.length > 0) {
    return document.errors.map((error) => {
      const { line, col } = counter.linePos(error.pos[0]);
      const words = error.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
      return { line: Math.max(1, line), column: Math.max(1, col), field: "", text: `not YAML: ${words}` };
    });
  }
  const positions = new Positions(document.contents, counter);
  const mistakes: Mistake[] = [];
  const wrong = (field: string, words: string): void => {
    const sentence = `${field === "" ? "the scenario" : field} ${words}`;
    mistakes.push({ ...positions.find(field), field, text: sentence });
  };
  const tell = (faults: readonly Fault[], prefix: string): void => {
    for (const one of faults) {
      const sentence = prefix + one.text;
      const field = positions.pathIn(sentence);
      mistakes.push({ ...positions.find(field), field, text: sentence });
    }
  };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    wrong("", `cannot be read: ${(error as Error).message}`);
    return mistakes;
  }
  const faults: Fault[] = [];
  check(scenarioSpec, value, "", faults);
  tell(
    faults.map((one) => ({ ...one, text: one.text.replace(/^the configuration /, "the scenario ") })),
    "",
  );
  if (mistakes.length > 0) return mistakes;
  const raw = value as Raw;
  const bench = raw.bench ?? {};
  const profile = profileOf(bench, path, wrong, tell);
  const config = profile === undefined ? undefined : configOf(bench, profile);
  const checked = config === undefined ? undefined : readConfig(config);
  if (checked !== undefined && !("upstreams" in checked)) tell(checked, "bench.module.");
  const utcMs = bench.start === undefined ? DEFAULT_UTC_MS : Date.parse(bench.start);
  if (Number.isNaN(utcMs)) wrong("bench.start", 'must be a date and time such as "2026-06-01T12:00:00Z"');
  const events = new Map<string, EventContent>();
  raw.steps.forEach((step, i) => {
    checkStep(step, `steps[${i}]`, events, wrong);
    const asks = "platform" in step || ("expect" in step && step.expect.platform !== undefined);
    if (asks && bench.platform !== true)
      wrong(`steps[${i}]`, "needs a charging platform: bench: { platform: true }");
    if (("page" in step || "buttonSeconds" in step) && bench.page === undefined)
      wrong(`steps[${i}]`, "needs a module with its own pages: bench: { page: set-up }, or new");
  });
  if (bench.page === "new" && bench.settle !== false)
    wrong("bench.page", "new: a module that nobody has set up finds no utility; add settle: false");
  if (mistakes.length > 0 || profile === undefined || !checked || !("upstreams" in checked)) return mistakes;
  return {
    name: path.replace(/^.*[\\/]/, "").replace(/\.(ya?ml|json)$/i, ""),
    title: raw.title,
    why: raw.why.trim().replace(/\s+/g, " "),
    profile,
    config: config!,
    checkedConfig: checked,
    page: bench.page,
    pollSeconds: bench.pollSeconds ?? 10,
    utcMs,
    plugged: bench.plugged ?? true,
    settle: bench.settle ?? true,
    seed: bench.seed ?? 1,
    steps: raw.steps,
    lines: raw.steps.map((_, i) => positions.find(`steps[${i}]`).line),
  };
}

type Wrong = (field: string, words: string) => void;

function profileOf(
  bench: NonNullable<Raw["bench"]>,
  path: string,
  wrong: Wrong,
  tell: (faults: readonly Fault[], prefix: string) => void,
): SgdProfile | undefined {
  const name = bench.profile ?? "evse-level2-32a";
  let profile: SgdProfile;
  try {
    profile = loadProfile(profileNames().includes(name) ? name : join(dirname(path), name));
  } catch (error) {
    wrong("bench.profile", `is wrong: ${(error as Error).message}`);
    return undefined;
  }
  const changes = bench.profileChanges;
  if (changes === undefined) return profile;
  const sections = Object.fromEntries(
    Object.entries(changes).map(([section, fields]) => [
      section,
      { ...(profile[section as keyof SgdProfile] as object), ...fields },
    ]),
  );
  const changed = readProfile({ ...profile, ...sections });
  if ("name" in changed) return changed;
  tell(changed.filter(isFault), "bench.profileChanges.");
  return undefined;
}

function configOf(
  bench: NonNullable<Raw["bench"]>,
  { charger }: SgdProfile,
): Readonly<Record<string, unknown>> {
  const { installerMaxA, ratedA, phases, voltageV } = charger;
  const given = bench.module ?? {};
  return {
    polling: { stateSeconds: 60, commoditySeconds: 30 },
    // Those of the virtual home.
    ...(bench.page === "new" ? { timeServers: ["time-a.test", "time-b.test"] } : {}),
    ...given,
    charger: {
      installerMaxA,
      ratedA,
      phases,
      voltage: voltageV,
      ...(given["charger"] as object | undefined),
    },
    upstreams: [
      { ...UPSTREAM, emergency: bench.emergency ?? false },
      ...(bench.platform === true ? [{ ...csmsUpstream, emergency: bench.emergency ?? false }] : []),
    ],
  };
}

function checkStep(step: Step, path: string, events: Map<string, EventContent>, wrong: Wrong): void {
  const actions = Object.keys(step).filter((field) => field !== "note");
  if (actions.length !== 1) {
    const has = actions.length === 0 ? "none" : actions.join(" and ");
    wrong(path, `must do exactly one of ${ACTIONS.join(", ")}; it has ${has}`);
    return;
  }
  if ("platform" in step) checkOne(step.platform, `${path}.platform`, PLATFORM_ACTIONS, wrong);
  else if ("owner" in step) {
    const { verb, durationSeconds, source } = step.owner;
    if (verb === "boost" && durationSeconds === undefined)
      wrong(`${path}.owner.durationSeconds`, "is missing: how long the boost lasts");
    if (["admit", "pause", "dismiss"].includes(verb) && source === undefined)
      wrong(`${path}.owner.source`, `is missing: whom the owner means by ${verb}`);
  } else if ("page" in step) checkPage(step.page, `${path}.page`, wrong);
  else if ("utility" in step) checkUtility(step.utility, `${path}.utility`, events, wrong);
  else if ("fault" in step) checkFault(step.fault, `${path}.fault`, wrong);
  else if ("expect" in step) checkExpect(step.expect, `${path}.expect`, events, wrong);
  else if ("line" in step || "clock" in step) {
    const [name, fields] = Object.entries(step).find(([key]) => key !== "note") as [string, object];
    if (Object.keys(fields).length === 0) wrong(`${path}.${name}`, "must say what is to change; it is empty");
  }
}

function checkPage(act: PageAction, path: string, wrong: Wrong): void {
  if (act.press === undefined) {
    for (const field of ["of", "fill"] as const)
      if (act[field] !== undefined) wrong(`${path}.${field}`, "belongs to a button: name it with press");
  }
  if (
    act.press === undefined &&
    act.open === undefined &&
    act.shows === undefined &&
    act.showsNot === undefined
  )
    wrong(path, "must open a page, press a button or say what it shows");
}

/** True where exactly one thing is done. */
function checkOne(act: object, path: string, actions: readonly string[], wrong: Wrong): boolean {
  const names = Object.keys(act);
  if (names.length === 1) return true;
  const has = names.length === 0 ? "none" : names.join(" and ");
  wrong(path, `must do exactly one of ${actions.join(", ")}; it has ${has}`);
  return false;
}

function checkUtility(act: object, path: string, events: Map<string, EventContent>, wrong: Wrong): void {
  if (!checkOne(act, path, UTILITY_ACTIONS, wrong)) return;
  if ("create" in act || "modify" in act) {
    const verb = "create" in act ? "create" : "modify";
    const { name, ...input } = (act as Record<string, EventInput>)[verb]!;
    const known = events.get(name);
    if (verb === "create" && known !== undefined)
      wrong(`${path}.create.name`, `"${name}" is used twice; give each event its own`);
    if (verb === "modify" && known === undefined) return unknown(`${path}.modify.name`, name, events, wrong);
    const content = readEvent(
      input,
      DEFAULT_UTC_MS,
      "http://programme",
      verb === "modify" ? known : undefined,
    );
    if (isFieldError(content)) wrong(`${path}.${verb}${content.field && `.${content.field}`}`, content.error);
    else events.set(name, content);
    return;
  }
  for (const verb of ["cancel", "withdraw"]) {
    const name = (act as Record<string, string>)[verb];
    if (name !== undefined && !events.has(name)) unknown(`${path}.${verb}`, name, events, wrong);
  }
}

function unknown(path: string, name: string, events: ReadonlyMap<string, unknown>, wrong: Wrong): void {
  const known = [...events.keys()].join(", ") || "none";
  wrong(path, `names "${name}", which no step before has created; created are ${known}`);
}

function checkFault(wanted: string, path: string, wrong: Wrong): void {
  const [name = "", times, more] = wanted.split(":");
  if (!faultNames().includes(name)) {
    wrong(
      path,
      `must be a fault of docs/charger-simulator.md; "${name}" is none of ${faultNames().join(", ")}`,
    );
  } else if (more !== undefined || (times !== undefined && !/^[1-9]\d*$/.test(times))) {
    wrong(path, `must be NAME or NAME:TIMES with a whole number from 1; it is "${wanted}"`);
  }
}

function checkExpect(
  expected: Expectation,
  path: string,
  events: ReadonlyMap<string, unknown>,
  wrong: Wrong,
): void {
  if (!CONDITIONS.some((name) => name in expected))
    wrong(path, `must expect something: ${CONDITIONS.join(", ")}`);
  const { currentMinA, currentMaxA, frame, report, event } = expected;
  if (currentMinA !== undefined && currentMaxA !== undefined && currentMinA > currentMaxA)
    wrong(`${path}.currentMaxA`, `(${currentMaxA}) must not be under currentMinA (${currentMinA})`);
  if (frame?.min !== undefined && frame.max !== undefined && frame.min > frame.max)
    wrong(`${path}.frame.max`, `(${frame.max}) must not be under min (${frame.min})`);
  if (report?.valueMin !== undefined && report.valueMax !== undefined && report.valueMin > report.valueMax)
    wrong(`${path}.report.valueMax`, `(${report.valueMax}) must not be under valueMin (${report.valueMin})`);
  if (event !== undefined && !events.has(event.name))
    unknown(`${path}.event.name`, event.name, events, wrong);
}
