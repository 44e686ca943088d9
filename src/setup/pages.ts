import { localTime, type PosixZone } from "../base/posix-tz.js";
import { button, esc, hiddenForm, page } from "./html.js";
import { type Span, spanKey, spansOf } from "./hours.js";
import type { ReadyTime } from "./ready-by.js";

/** What the pages show of the module; a part of what `Ucm.state` gives. */
export interface WebFacts {
  readonly intent:
    | {
        readonly ask: { readonly ask: string };
        readonly source: string;
        readonly reason: string;
        readonly endsUtcMs?: number | undefined;
      }
    | undefined;
  readonly sgd: {
    readonly link: string;
    readonly powerW: number | undefined;
    readonly override: boolean;
    readonly load: { readonly result: string; readonly command: string } | undefined;
  };
  readonly upstreams: readonly { readonly id: string; readonly state: string; readonly text: string }[];
  readonly delay: { readonly enabled: boolean; readonly running: boolean; readonly remainingMs: number };
  readonly owner: {
    readonly overrideLeftMs: number;
    readonly boostLeftMs: number;
    readonly heldOff: boolean;
    readonly schedule: string;
    readonly windows: readonly Span[];
    readonly consent: readonly { readonly source: string; readonly word: string }[];
  };
  readonly schedule: readonly unknown[];
  readonly renewals?: readonly {
    readonly id: string;
    readonly untilUtcMs: number | undefined;
    readonly fault: string;
    readonly urgent: boolean;
  }[];
  /** The firmware that runs, and what of an update is under way; absent where it takes none. */
  readonly update?:
    | {
        readonly version: string;
        readonly board: string;
        readonly phase: string;
        readonly target: string;
        readonly percent: number;
      }
    | undefined;
  readonly provider: string;
  readonly ready: ReadyTime | undefined;
}

export interface WebHistory {
  readonly sessions: readonly {
    readonly startUtcMs: number | undefined;
    readonly stopUtcMs: number | undefined;
    readonly energyWh: number;
    readonly changes: readonly { readonly ask: string; readonly source: string }[];
  }[];
  /** The last days, newest first; `energyWh` undefined where nothing is known. */
  readonly days: readonly { readonly utcMs: number; readonly energyWh: number | undefined }[];
}

const DAYS = "Sun Mon Tue Wed Thu Fri Sat";

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

export function clock(zone: PosixZone | undefined, utcMs: number): string {
  if (zone === undefined) return "";
  const { hour, minute } = localTime(zone, utcMs);
  return `${two(hour)}:${two(minute)}`;
}

function dayAndClock(zone: PosixZone | undefined, utcMs: number | undefined): string {
  if (utcMs === undefined || zone === undefined) return "not known";
  const { offsetS } = localTime(zone, utcMs);
  const date = dateOf(utcMs + offsetS * 1000);
  return `${date} ${clock(zone, utcMs)}`;
}

/** "Mon 4 Jan" of a count of ms since 1970. */
function dateOf(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  // Howard Hinnant's civil_from_days (public domain), as in src/base/iso8601.ts, for day and month alone.
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = "Mar Apr May Jun Jul Aug Sep Oct Nov Dec Jan Feb".split(" ")[mp]!;
  return `${DAYS.split(" ")[(days + 4) % 7]!} ${doy - Math.floor((153 * mp + 2) / 5) + 1} ${month}`;
}

function span(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (ms < 120_000) return `${Math.ceil(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function kilo(value: number): string {
  return (value / 1000).toFixed(1);
}

function time(min: number): string {
  return `${two(Math.floor(min / 60))}:${two(min % 60)}`;
}

function spanText({ days, fromMin, toMin }: Span): string {
  const list = DAYS.split(" ").filter((_name, i) => (days >> i) & 1);
  const when = days === 62 ? "Mon to Fri" : days === 127 ? "every day" : list.join(", ");
  return `${when} ${time(fromMin)} to ${time(toMin)}`;
}

/** Hours without charging, all of them, as their owner would say them. */
export function windowsText(windows: readonly Span[]): string {
  return spansOf(windows).map(spanText).join("; ");
}

function whoIsInControl({ intent, owner }: WebFacts): string {
  if (owner.overrideLeftMs > 0) return "You";
  if (intent === undefined || intent.ask.ask === "normal") return "Nobody: it charges as usual";
  if (intent.source === "local")
    return owner.boostLeftMs > 0 ? "You" : "Your off-peak hours or a random delay";
  return intent.source === "owner" ? "You" : `Your utility (${intent.source})`;
}

function firmware({ update }: WebFacts, form: string): string {
  if (update === undefined) return "";
  const { version, board, phase, target, percent } = update;
  const going =
    phase === "idle"
      ? ""
      : phase === "checking" || target === ""
        ? " It is looking for a newer one."
        : ` Version ${target} is under way (${Math.floor(percent)} %, ${phase}).`;
  const look = phase === "idle" ? button(form, "Look for an update", { do: "look" }) : "";
  return `<section><h2>Firmware</h2><p>Version ${esc(version)} for ${esc(board)}.${esc(going)}</p>${look}</section>`;
}

/** The page "Now". */
export function nowPage(facts: WebFacts, form: string, zone: PosixZone | undefined, told: string): string {
  const { intent, sgd, delay, owner } = facts;
  const kw = sgd.powerW === undefined ? "" : `${kilo(sgd.powerW)} kW`;
  const state =
    sgd.link !== "online"
      ? `<p class="big w">The charger does not answer</p><p>Is it switched on, and the module firmly in its socket?</p>`
      : `<p class="big">${kw === "" ? "Connected to the charger" : (sgd.powerW ?? 0) > 50 ? `Charging with ${kw}` : "Not charging"}</p>`;
  const until =
    intent?.endsUtcMs !== undefined && intent.endsUtcMs !== null && intent.ask.ask !== "normal"
      ? // To the nearest minute, as the reason above it.
        `<p class="m">Until ${dayAndClock(zone, Math.round(intent.endsUtcMs / 60_000) * 60_000)}.</p>`
      : "";
  const mine: string[] = [];
  if (delay.running)
    mine.push(
      `<p>A random delay spreads the load of many homes: ${span(delay.remainingMs)} to go.</p>${button(form, "Skip this delay", { do: "skip-delay" })}`,
    );
  if (owner.heldOff) mine.push(`<p>Charging stays off after the power cut until you say so.</p>`);
  if (owner.overrideLeftMs > 0 || owner.boostLeftMs > 0 || owner.heldOff)
    mine.push(
      `${owner.heldOff ? "" : `<p>Your choice holds for ${span(Math.max(owner.overrideLeftMs, owner.boostLeftMs))} more.</p>`}${button(form, "Back to normal", { do: "resume" }, true)}`,
    );
  else
    mine.push(
      `${button(form, "Charge now", { do: "boost" }, true)}${button(form, "Charge now, whatever the utility asks", { do: "override" })}<p class="m">The first ends your own pauses for 12 hours; the second the utility's as well, where your region lets you.</p>`,
    );
  if (sgd.override) mine.push(`<p>The button at the charger is pressed.</p>`);
  const offered =
    owner.schedule === "offered" && owner.windows.length > 0
      ? `<section><h2>Off-peak hours</h2><p>Your region suggests no charging ${esc(windowsText(owner.windows))}.</p>${button(form, "Accept", { do: "accept-schedule" }, true)}${button(form, "Remove", { do: "remove-schedule" })}<a href="/settings">Change</a></section>`
      : "";
  return page(
    "Your charger",
    `${told === "" ? "" : `<section role="status"><p>${esc(told)}</p></section>`}${offered}<section><h2>Now</h2>${state}<p><strong>In control:</strong> ${esc(whoIsInControl(facts))}.</p><p>${esc(intent?.reason ?? "")}</p>${until}<p><a href="/">Look again</a></p></section><section><h2>You decide</h2>${mine.join("")}</section><section><h2>Utilities</h2>${utilities(facts, zone)}</section>`,
    "/",
  );
}

function utilities({ upstreams, renewals = [] }: WebFacts, zone: PosixZone | undefined): string {
  if (upstreams.length === 0) return `<p>None is set up.</p>`;
  const rows = upstreams.map(
    ({ id, state, text }) =>
      `<tr><th scope="row">${esc(id)}</th><td>${state === "online" ? "online" : `<span class="w">${esc(state)}</span> ${esc(text)}`}</td></tr>`,
  );
  const ending = renewals.map(({ id, untilUtcMs, fault, urgent }) =>
    urgent
      ? `<p class="w">The certificate for ${esc(id)} ${untilUtcMs === undefined ? "is missing" : `ends on ${dayAndClock(zone, untilUtcMs)}`} and cannot be renewed (${esc(fault)}). Tell the utility.</p>`
      : "",
  );
  return `<table>${rows.join("")}</table>${ending.join("")}`;
}

/** The page "History". */
export function historyPage(
  history: WebHistory | "memory-short" | undefined,
  zone: PosixZone | undefined,
): string {
  if (history === undefined || history === "memory-short") {
    const why =
      history === undefined ? "This module keeps no history." : "The module is busy. Look again in a minute.";
    return page("History", `<section><p>${why}</p></section>`, "/history");
  }
  const sessions = history.sessions.map(({ startUtcMs, stopUtcMs, energyWh, changes }) => {
    const held = changes.filter(({ ask }) => ask !== "normal").map(({ source }) => source);
    const by = held.length === 0 ? "" : `held back by ${[...new Set(held)].join(", ")}`;
    return `<tr><td>${dayAndClock(zone, startUtcMs)}</td><td>${stopUtcMs === undefined ? "charging" : clock(zone, stopUtcMs)}</td><td class="n">${kilo(energyWh)}</td><td>${esc(by)}</td></tr>`;
  });
  const days = history.days.map(
    ({ utcMs, energyWh }) =>
      `<tr><td>${dayAndClock(zone, utcMs).slice(0, -6)}</td><td class="n">${energyWh === undefined ? "–" : kilo(energyWh)}</td></tr>`,
  );
  const none = `<p>Nothing yet.</p>`;
  return page(
    "History",
    `<section><h2>Charging sessions</h2>${sessions.length === 0 ? none : `<table><tr><th>From</th><th>To</th><th class="n">kWh</th><th><span class="m">Events</span></th></tr>${sessions.join("")}</table>`}</section><section><h2>Last days</h2>${days.length === 0 ? none : `<table><tr><th>Day</th><th class="n">kWh</th></tr>${days.join("")}</table>`}<p class="m">Half-hour figures of 12 months are kept and can be exported.</p></section>`,
    "/history",
  );
}

/** Takes one of several hours away, and the form for others: instead of all, beside them, or instead of one. */
function otherHours(windows: readonly Span[], form: string): string {
  const spans = spansOf(windows);
  const first = spans[0];
  const options = spans.map(
    (span) => `<option value="${spanKey(span)}">Instead of ${spanText(span)}</option>`,
  );
  const instead =
    first === undefined
      ? ""
      : `<label for="instead">They hold</label><select id="instead" name="instead"><option value="all">Instead of all these</option><option value="none">Beside these</option>${options.length > 1 ? options.join("") : ""}</select>`;
  const each =
    spans.length > 1
      ? spans
          .map((span) =>
            button(form, `Remove ${spanText(span)}`, { do: "drop-hours", instead: spanKey(span) }),
          )
          .join("")
      : "";
  return `${each}<form method="post" action="/order">${hiddenForm(form)}<input type="hidden" name="do" value="change-schedule"><label for="days">Other hours without charging</label><select id="days" name="days"><option value="62">Monday to Friday</option><option value="127">Every day</option><option value="65">Saturday and Sunday</option></select><label for="from">From</label><input id="from" name="from" type="time" required value="${time(first?.fromMin ?? 960)}"><label for="to">To</label><input id="to" name="to" type="time" required value="${time((first?.toMin ?? 1320) % 1440)}">${instead}<button>Use these hours</button></form>`;
}

/** The page "Settings". */
export function settingsPage(facts: WebFacts, form: string, told: string, mayReset: boolean): string {
  const { owner, upstreams, ready, delay } = facts;
  const word = (id: string): string => owner.consent.find(({ source }) => source === id)?.word ?? "admit";
  const agents = upstreams.map(({ id }) => {
    const now = word(id);
    const verbs = (["admit", "pause", "dismiss"] as const).filter((verb) => verb !== now);
    const said = now === "admit" ? "may hold back charging" : now === "pause" ? "is paused" : "is dismissed";
    const change =
      facts.provider !== "" && facts.provider !== id
        ? button(form, "Make this my provider", { do: "provider", source: id })
        : "";
    return `<p><strong>${esc(id)}</strong> ${said}.</p>${verbs.map((verb) => button(form, verb === "admit" ? "Admit" : verb === "pause" ? "Pause" : "Dismiss", { do: verb, source: id })).join("")}${change}`;
  });
  const hidden = hiddenForm(form);
  return page(
    "Settings",
    `${told === "" ? "" : `<section role="status"><p>${esc(told)}</p></section>`}<section><h2>Off-peak hours</h2><p>${owner.windows.length === 0 || owner.schedule === "removed" ? "None: it charges at any hour." : `No charging ${esc(windowsText(owner.windows))} (${esc(owner.schedule)}).`}</p>${owner.schedule === "removed" ? "" : button(form, spansOf(owner.windows).length > 1 ? "Remove all" : "Remove", { do: "remove-schedule" })}${owner.schedule === "accepted" ? "" : button(form, "Use the region's hours", { do: "accept-schedule" })}${otherHours(owner.windows, form)}</section><section><h2>Full by</h2><p>${ready === undefined ? "No time is set." : `Full at ${time(ready.minute)}, ${ready.hours} h of charging before it.`} Your own pauses yield then; a utility's do not.</p><form method="post" action="/order">${hidden}<input type="hidden" name="do" value="ready"><label for="at">Time</label><input id="at" name="at" type="time" required value="${time(ready?.minute ?? 420)}"><label for="hours">Hours of charging it needs</label><input id="hours" name="hours" type="number" min="0.5" max="12" step="0.5" required value="${ready?.hours ?? 4}"><button>Set</button></form>${ready === undefined ? "" : button(form, "Forget the time", { do: "no-ready" })}</section><section><h2>Random delay</h2><p>${delay.enabled ? "On: changes wait a random while, so that many homes do not switch at once." : "Off."}</p>${button(form, delay.enabled ? "Switch off" : "Switch on", { do: delay.enabled ? "delay-off" : "delay-on" })}</section><section><h2>Utilities</h2>${agents.length === 0 ? "<p>None is set up.</p>" : agents.join("")}<p><a href="/setup">Change Wi-Fi or utility</a></p></section><section><h2>Secret</h2><form method="post" action="/secret">${hidden}<label for="old">Present secret</label><input id="old" name="old" type="password" autocomplete="current-password" required><label for="new">New secret</label><input id="new" name="new" type="password" autocomplete="new-password" minlength="10" maxlength="64" required><button>Change the secret</button></form></section>${
      firmware(facts, form) +
      (mayReset
        ? `<section><h2>Forget everything</h2><p>Erases what belongs to you: history, choices, Wi-Fi and utility. It cannot be undone.</p><form method="post" action="/forget">${hidden}<label for="sure">Type <strong>forget</strong></label><input id="sure" name="sure" autocomplete="off" required><button>Forget everything</button></form></section>`
        : "")
    }<form class="i" method="post" action="/leave">${hidden}<button>Log out</button></form>`,
    "/settings",
  );
}

/** The page that asks for the secret. */
export function loginPage(told: string, setup: boolean): string {
  return page(
    setup ? "Set up your module" : "Your charger",
    `<section><p>${setup ? "Welcome." : ""} Enter the secret on the module's label${setup ? "" : ", or the one that you have chosen"}.</p>${told === "" ? "" : `<p class="w" role="alert">${esc(told)}</p>`}<form method="post" action="/login"><label for="secret">Secret</label><input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus><button class="p">Go on</button></form></section>`,
    "",
  );
}
