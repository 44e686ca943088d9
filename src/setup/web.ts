import type { PosixZone } from "../base/posix-tz.js";
import { MOST_BODY_BYTES, type WebRequest, type WebResponse } from "../ports/http-server.js";
import type { Now, RandomPort, StorePort } from "../ports/time.js";
import { minutesOf, type UcmConfig } from "./config.js";
import { withSpan } from "./hours.js";
import { readForm, STYLE } from "./html.js";
import { Login, type Session } from "./login.js";
import { historyPage, loginPage, nowPage, settingsPage, type WebFacts, type WebHistory } from "./pages.js";
import { readSetup, setupPage, type Setup } from "./setup-form.js";

/** What the pages may ask of the module. Orders are checked by whoever takes them (src/setup/orders.ts). */
export interface WebDesk {
  facts(now: Now): WebFacts;
  /** Undefined where none is kept. */
  history(now: Now): WebHistory | "memory-short" | undefined;
  owner(order: unknown, now: Now): { readonly ok: boolean; readonly text: string };
  delay(order: unknown, now: Now): { readonly ok: boolean; readonly text: string };
  ready(minute: number | undefined, hours: number): boolean;
  /** Looks for an update; false where one cannot be looked for now. */
  look(now: Now): boolean;
  /** Undefined where nothing can be forgotten. */
  forget: (() => { readonly ok: boolean; readonly text: string }) | undefined;
  /** Hands a setup over to the world, which keeps it and starts anew; undefined where it cannot. */
  configure: ((setup: Setup, now: Now) => void) | undefined;
  security(code: "login-failed" | "setup", text: string, now: Now): void;
}

export interface WebSettings {
  readonly config: UcmConfig;
  readonly zone: PosixZone | undefined;
  /** On the label. */
  readonly ownerSecret: string;
  /** Nothing has been set up yet. */
  readonly fresh: boolean;
  /** The module keeps its own Wi-Fi. */
  readonly wifi: boolean;
}

/** Setup by button, or of a new module, is open so long. A new module's begins again with its next start. */
export const SETUP_MS = 10 * 60_000;
const COOKIE = "ucm";
const OWNER_BOOST_MS = 12 * 3_600_000;

const HEADERS: readonly (readonly [string, string])[] = [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-store"],
  [
    "content-security-policy",
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "same-origin"],
  // Of browsers that do not know frame-ancestors.
  ["x-frame-options", "DENY"],
];

/**
 * The owner's page and the setup page: the module's whole web server behind {@link WebServerPort}. Nothing is shown
 * and nothing is done without the secret; what changes something comes as a POST from this very page (Host, Origin and
 * a word in the form), so that no other page in the home can press buttons, nor a name that is bent to this address
 * read anything (DNS rebinding). No script, nothing from elsewhere.
 */
export class OwnerWeb {
  readonly #login: Login;
  #setupUntilMs = 0;

  constructor(
    private readonly desk: WebDesk,
    private readonly settings: WebSettings,
    random: RandomPort,
    store: StorePort,
  ) {
    this.#login = new Login(random, store, settings.ownerSecret);
  }

  /** Opens setup: a new module at its start, or the button. */
  openSetup(why: "new" | "button", now: Now): void {
    this.#setupUntilMs = now.ms + SETUP_MS;
    // Whoever stands at the module is not kept out by somebody who guesses from elsewhere.
    this.#login.calm();
    this.desk.security("setup", why === "new" ? "open: new module" : "open: button", now);
  }

  /** True while the access point for setup is to be up. */
  inSetup(now: Now): boolean {
    return now.ms < this.#setupUntilMs;
  }

  setupEndsMs(): number {
    return this.#setupUntilMs;
  }

  handle(request: WebRequest, now: Now): WebResponse {
    const { id, method, target } = request;
    const path = target.split("?")[0]!;
    if (!isOwnName(request.host)) return answer(id, 421, "This is not the address of the module.");
    if (path === "/style.css" && method === "GET")
      return {
        id,
        status: 200,
        headers: [
          ["content-type", "text/css"],
          ["cache-control", "max-age=3600"],
          ["x-content-type-options", "nosniff"],
        ],
        body: STYLE,
      };
    if (method === "GET") return this.#get(path, request, now);
    if (method !== "POST") return answer(id, 405, "GET and POST alone are answered.");
    if (request.body.length > MOST_BODY_BYTES) return answer(id, 413, "That is too much.");
    if (!fromHere(request)) return answer(id, 403, "The request came from another page.");
    const form = readForm(request.body);
    if (form === undefined) return answer(id, 400, "That is no form.");
    return this.#post(path, form, request, now);
  }

  #session({ cookie }: WebRequest, now: Now): Session | undefined {
    for (const part of cookie.split(";")) {
      const value = part.trim().split("=")[1];
      // Another program of this host may have planted one, of whatever name: the first that is ours counts.
      const session = value !== undefined ? this.#login.session(value, now) : undefined;
      if (session) return session;
    }
    return undefined;
  }

  get #first(): boolean {
    return this.settings.fresh;
  }

  #get(path: string, request: WebRequest, now: Now): WebResponse {
    const { id } = request;
    const session = this.#session(request, now);
    const known = ["/", "/history", "/settings", "/setup"].includes(path);
    if (!known) return answer(id, 404, "There is no such page.");
    if (!session) return html(id, 200, loginPage("", this.#first));
    if (path === "/setup" || this.#first) return this.#setup(id, session, new Map(), "", now);
    const { zone } = this.settings;
    if (path === "/history") return html(id, 200, historyPage(this.desk.history(now), zone));
    const facts = this.desk.facts(now);
    if (path === "/settings")
      return html(id, 200, settingsPage(facts, session.form, "", this.desk.forget !== undefined));
    return html(id, 200, nowPage(facts, session.form, zone, ""));
  }

  #setup(
    id: number,
    session: Session,
    typed: ReadonlyMap<string, string>,
    told: string,
    now: Now,
  ): WebResponse {
    const { config, wifi } = this.settings;
    if (this.desk.configure === undefined)
      return html(
        id,
        200,
        this.#settingsPage(session, "This module was set up by a file, and only so.", now),
      );
    if (this.#first && !this.inSetup(now))
      return html(id, 200, loginPage("Setup has closed. Press the module's button, and try again.", true));
    const page = setupPage(config, typed, session.form, told, wifi, this.#first);
    return html(id, told === "" ? 200 : 422, page);
  }

  #settingsPage(session: Session, told: string, now: Now): string {
    return settingsPage(this.desk.facts(now), session.form, told, this.desk.forget !== undefined);
  }

  #post(path: string, form: Map<string, string>, request: WebRequest, now: Now): WebResponse {
    const { id } = request;
    if (path === "/login") return this.#enter(request, form.get("secret") ?? "", now);
    const session = this.#session(request, now);
    if (!session) return html(id, 403, loginPage("Please log in again.", this.#first));
    if (form.get("form") !== session.form) return answer(id, 403, "The form is too old: load the page anew.");
    switch (path) {
      case "/order":
        return this.#order(id, session, form, now);
      case "/secret":
        return this.#secret(id, session, form, now);
      case "/leave":
        this.#login.leave(session);
        return redirect(id, "/");
      case "/forget": {
        if (form.get("sure") !== "forget" || this.desk.forget === undefined)
          return html(id, 422, this.#settingsPage(session, "Nothing was forgotten: type the word.", now));
        return answer(id, 200, this.desk.forget().text);
      }
      case "/setup": {
        const setup = readSetup(form, this.settings.wifi, this.#first);
        if (typeof setup === "string") return this.#setup(id, session, form, setup, now);
        if (this.desk.configure === undefined || (this.#first && !this.inSetup(now)))
          return this.#setup(id, session, form, "", now);
        this.desk.security("setup", "by the owner's page", now);
        this.desk.configure(setup, now);
        return answer(id, 200, "Saved. The module starts anew; this page is back in a minute.");
      }
    }
    return answer(id, 404, "There is no such page.");
  }

  #enter({ id, host }: WebRequest, secret: string, now: Now): WebResponse {
    const session = this.#login.enter(secret, now);
    if (session === "wrong") this.desk.security("login-failed", "owner's page", now);
    if (typeof session === "string") {
      const waitS = Math.ceil(this.#login.waitMs(now) / 1000);
      const told =
        session === "wrong" ? `That was not it. Wait ${waitS} s.` : `Wait ${waitS} s, then try again.`;
      const { headers, ...rest } = html(id, 429, loginPage(told, this.#first));
      return { ...rest, headers: [...headers, ["retry-after", String(waitS)]] };
    }
    // Cookies know no ports: two modules on one computer must not throw each other's owner out.
    const cookie = `${COOKIE}${Number(host.split(":")[1]) || ""}=${session.token}; HttpOnly; SameSite=Strict; Path=/`;
    const { headers, ...rest } = redirect(id, "/");
    return { ...rest, headers: [...headers, ["set-cookie", cookie]] };
  }

  #secret(id: number, session: Session, form: Map<string, string>, now: Now): WebResponse {
    const again = this.#login.enter(form.get("old") ?? "", now);
    if (typeof again === "string") {
      if (again === "wrong") this.desk.security("login-failed", "change of the secret", now);
      return html(
        id,
        429,
        this.#settingsPage(session, "The present secret was not right. Wait a little.", now),
      );
    }
    const wrong = this.#login.choose(form.get("new") ?? "");
    if (wrong !== "") {
      this.#login.leave(again);
      return html(id, 422, this.#settingsPage(session, wrong, now));
    }
    this.desk.security("setup", "another secret", now);
    return redirect(id, "/");
  }

  #order(id: number, session: Session, form: Map<string, string>, now: Now): WebResponse {
    const { text, back } = this.#carryOut(form, now);
    const { zone } = this.settings;
    if (back === "/settings") return html(id, 200, this.#settingsPage(session, text, now));
    return html(id, 200, nowPage(this.desk.facts(now), session.form, zone, text));
  }

  #carryOut(form: Map<string, string>, now: Now): { readonly text: string; readonly back: string } {
    const { desk } = this;
    const verb = form.get("do") ?? "";
    const atNow = (answered: { readonly text: string }) => ({ text: answered.text, back: "/" });
    const inSettings = (text: string) => ({ text, back: "/settings" });
    switch (verb) {
      case "boost":
        return atNow(desk.owner({ verb, durationMs: OWNER_BOOST_MS }, now));
      case "override":
      case "resume":
      case "skip-delay":
        return atNow(desk.owner({ verb }, now));
      case "accept-schedule":
      case "remove-schedule":
        return inSettings(desk.owner({ verb }, now).text);
      case "admit":
      case "pause":
      case "dismiss":
      case "provider":
        return inSettings(desk.owner({ verb, source: form.get("source") ?? "" }, now).text);
      case "drop-hours":
      case "change-schedule": {
        const fromMin = minutesOf(form.get("from") ?? "");
        const toMin = minutesOf(form.get("to") ?? "");
        const span = verb === "drop-hours" ? undefined : { days: Number(form.get("days")), fromMin, toMin };
        const windows = withSpan(
          desk.facts(now).owner.windows,
          form.get("instead") ?? (span ? "all" : ""),
          span,
        );
        if (typeof windows === "string") return inSettings(windows);
        return inSettings(desk.owner({ verb: "change-schedule", windows }, now).text);
      }
      case "delay-on":
      case "delay-off":
        return inSettings(desk.delay({ verb: verb === "delay-on" ? "enable" : "disable" }, now).text);
      case "ready": {
        const done = desk.ready(minutesOf(form.get("at") ?? ""), Number(form.get("hours")));
        return inSettings(done ? "Set." : "Choose a time, and half an hour to 12 hours.");
      }
      case "look":
        return inSettings(desk.look(now) ? "Looking for an update." : "That cannot be done now.");
      case "no-ready":
        desk.ready(undefined, 0);
        return inSettings("Forgotten.");
    }
    return inSettings("The module does not know that order.");
  }
}

/** An address or a name that only this network has: a name of the internet could be bent to lead here. */
function isOwnName(host: string): boolean {
  const name = host.split(":")[0]!.toLowerCase();
  if (name === "localhost" || name.endsWith(".local")) return true;
  const parts = name.split(".");
  return parts.length === 4 && parts.every((part) => part !== "" && String(Number(part)) === part);
}

/** A browser says where a POST comes from; one that says nothing is none, and has no cookie to abuse. */
function fromHere({ host, origin, site }: WebRequest): boolean {
  if (site !== "" && site !== "same-origin" && site !== "none") return false;
  return origin === "" || origin === `http://${host}`;
}

function html(id: number, status: number, body: string): WebResponse {
  return { id, status, headers: HEADERS.map(([name, value]) => [name, value] as const), body };
}

function answer(id: number, status: number, text: string): WebResponse {
  return html(
    id,
    status,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Module</title><link rel="stylesheet" href="/style.css"></head><body><main><h1>${status === 200 ? "Done" : "No"}</h1><section><p>${text}</p><p><a href="/">Back</a></p></section></main></body></html>`,
  );
}

function redirect(id: number, location: string): WebResponse {
  return {
    id,
    status: 303,
    headers: [
      ["location", location],
      ["cache-control", "no-store"],
    ],
    body: "",
  };
}
