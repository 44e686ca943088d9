import { stateName } from "../../src/wire/basic-words.js";
import type { VirtualBench } from "../virtual/virtual-bench.js";
import { eventView } from "../vtn/views.js";
import type { Expectation, FrameExpectation, ReportExpectation } from "./model.js";
import type { SeenFrame, Watch } from "./watch.js";

/** Amperes by which a current may miss what is expected. */
const CURRENT_TOLERANCE_A = 0.15;

/** One condition: true, or what is seen instead. */
interface Condition {
  readonly wanted: string;
  check(): boolean;
  seen(): string;
}

/** All conditions of an expectation, to be looked at again and again. */
export class Expected {
  private readonly conditions: readonly Condition[];

  constructor(expectation: Expectation, world: ExpectedWorld) {
    this.conditions = conditionsOf(expectation, world);
  }

  /** In words: "current 16 A and state 2 (Running Curtailed)". */
  get text(): string {
    return this.conditions.map((one) => one.wanted).join(", ");
  }

  holds(): boolean {
    return this.conditions.every((one) => one.check());
  }

  /** What is seen where it differs. */
  difference(): string {
    const failing = this.conditions.filter((one) => !one.check());
    return failing.map((one) => `${one.wanted}: it is ${one.seen()}`).join("; ");
  }
}

export interface ExpectedWorld {
  readonly bench: VirtualBench;
  readonly watch: Watch;
  /** Event ids of the utility by name. */
  readonly events: ReadonlyMap<string, string>;
}

function conditionsOf(wanted: Expectation, world: ExpectedWorld): Condition[] {
  const { watch } = world;
  const list: Condition[] = [];
  const charger = () => watch.charger;
  const add = (text: string, check: () => boolean, seen: () => string): void => {
    list.push({ wanted: text, check, seen });
  };
  const amperes = (what: string, want: number | undefined, is: () => number): void => {
    if (want === undefined) return;
    const near = (): boolean => Math.abs(is() - want) <= CURRENT_TOLERANCE_A;
    add(`${what} ${want} A`, near, () => `${round(is())} A`);
  };
  const same = (what: string, want: unknown, is: () => unknown): void => {
    if (want !== undefined)
      add(
        `${what} ${String(want)}`,
        () => is() === want,
        () => String(is()),
      );
  };
  amperes("current", wanted.currentA, () => charger().currentA);
  const { currentMinA, currentMaxA, powerMaxW, opState, opStateOneOf } = wanted;
  const current = (): string => `${round(charger().currentA)} A`;
  if (currentMinA !== undefined)
    add(`current at least ${currentMinA} A`, () => charger().currentA >= currentMinA, current);
  if (currentMaxA !== undefined)
    add(`current at most ${currentMaxA} A`, () => charger().currentA <= currentMaxA, current);
  amperes("limit", wanted.limitA, () => charger().limitA);
  if (powerMaxW !== undefined)
    add(
      `power at most ${powerMaxW} W`,
      () => charger().powerW <= powerMaxW,
      () => `${round(charger().powerW)} W`,
    );
  const states = opState === undefined ? opStateOneOf : [opState];
  if (states !== undefined) {
    const text = `state ${states.map((one) => `${one} (${stateName(one)})`).join(" or ")}`;
    add(
      text,
      () => states.includes(charger().opState),
      () => `${charger().opState} (${stateName(charger().opState)})`,
    );
  }
  same("contactor", wanted.contactor, () => charger().contactor);
  same("plugged", wanted.plugged, () => charger().plugged);
  same("override", wanted.override, () => charger().override);
  same("intent", wanted.intent, () => watch.last("intent")?.intent ?? "none yet");
  same("source", wanted.source, () => watch.last("intent")?.source ?? "none yet");
  const { reasonContains, upstreamFault, logContains } = wanted;
  const reason = (): string => watch.last("intent")?.reason ?? "";
  if (reasonContains !== undefined)
    add(
      `reason with "${reasonContains}"`,
      () => reason().includes(reasonContains),
      () => `"${reason()}"`,
    );
  same("command", wanted.command, () => watch.last("command")?.name ?? "none yet");
  same("result", wanted.result, () => watch.last("command")?.result ?? "none yet");
  same("link", wanted.link, () => watch.last("sgd")?.status.link ?? "absent");
  same("lamp", wanted.lamp, () => world.bench.lamp);
  same("upstream", wanted.upstream, () => watch.upstreams.get("utility")?.state ?? "none yet");
  const fault = (): string => watch.upstreams.get("utility")?.fault ?? "";
  if (upstreamFault !== undefined)
    add(
      `upstream fault ${upstreamFault}`,
      () => fault().startsWith(upstreamFault),
      () => `"${fault()}"`,
    );
  if (logContains !== undefined) {
    const logs = (): string[] => watch.logs.slice(watch.markLogs).map((one) => one.text);
    const found = (): boolean => logs().some((one) => one.includes(logContains));
    add(`log with "${logContains}"`, found, () => JSON.stringify(logs()));
  }
  if (wanted.event !== undefined) addEvent(wanted.event, world, same);
  if (wanted.frame !== undefined) list.push(frameCondition(wanted.frame, watch));
  const { platform } = wanted;
  if (platform !== undefined) {
    const point = () => world.bench.csms.point;
    same("platform: online", platform.online, () => point().online);
    same("platform: status", platform.status, () => point().status || "none yet");
    same("platform: transaction", platform.transaction, () => point().running !== undefined);
    same("platform: answer", platform.answer, () => watch.platformAnswer || "none yet");
  }
  if (wanted.report !== undefined) list.push(reportCondition(wanted.report, watch));
  return list;
}

function addEvent(
  wanted: NonNullable<Expectation["event"]>,
  { bench, events }: ExpectedWorld,
  same: (what: string, want: unknown, is: () => unknown) => void,
): void {
  const view = () => {
    const event = bench.vtn.state.events.get(events.get(wanted.name) ?? "");
    return event && eventView(bench.vtn.state, event, bench.utcMs);
  };
  const what = `utility: event ${wanted.name}`;
  same(`${what} response`, wanted.response, () => view()?.response || "none yet");
  same(`${what} code`, wanted.code, () => view()?.answers.at(-1)?.code ?? "none yet");
  same(`${what} status`, wanted.status, () => view()?.status ?? "not made");
}

function frameCondition(wanted: FrameExpectation, watch: Watch): Condition {
  const { from, name, textContains, max, since } = wanted;
  const min = wanted.min ?? (max === undefined ? 1 : 0);
  let next = since === "start" ? 0 : watch.markFrames;
  const begin = next;
  let count = 0;
  const fits = (one: SeenFrame): boolean =>
    (from === undefined || one.from === from) &&
    (name === undefined || one.name === name) &&
    (textContains === undefined || one.text.includes(textContains));
  // Counts on from where it stopped: a day has tens of thousands of frames.
  const counted = (): number => {
    for (; next < watch.frames.length; next++) if (fits(watch.frames[next]!)) count++;
    return count;
  };
  const range = max === undefined ? `at least ${min}` : min === max ? `${min}` : `${min} to ${max}`;
  const what = [name ?? "any", ...(textContains === undefined ? [] : [`"${textContains}"`])].join(" ");
  return {
    wanted: `${range} × frame ${what}${from === undefined ? "" : ` from the ${from}`}`,
    check: () => counted() >= min && (max === undefined || counted() <= max),
    seen: () => {
      const last = watch.frames.slice(begin).filter((one) => from === undefined || one.from === from);
      return `${counted()}; last on the line: ${last
        .slice(-4)
        .map((one) => one.text)
        .join(" | ")}`;
    },
  };
}

function reportCondition(wanted: ReportExpectation, watch: Watch): Condition {
  const { name, rId, valueMin = -Infinity, valueMax = Infinity, min = 1 } = wanted;
  const begin = watch.markReports;
  const values = (): (number | undefined)[] =>
    watch.reports
      .slice(begin)
      .filter((one) => name === undefined || one.name === name)
      .flatMap((one) => one.values)
      .filter((one) => rId === undefined || one.rId === rId)
      .map((one) => one.value);
  const count = (): number =>
    values().filter((value) => value === undefined || (value >= valueMin && value <= valueMax)).length;
  const bounds =
    Number.isFinite(valueMin) || Number.isFinite(valueMax) ? ` of ${valueMin} to ${valueMax}` : "";
  return {
    wanted: `${min} × report ${name ?? "any"}${rId === undefined ? "" : `/${rId}`}${bounds}`,
    check: () => count() >= min,
    seen: () => `${count()}; values ${values().slice(-5).join(", ")}`,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
