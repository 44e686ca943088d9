/**
 * Somebody with a browser at the module's own pages, in virtual time: keeps the cookie, follows a redirect, fills in and
 * sends the forms that are on the page and no others. What a browser would not do (a button that is not there, a required
 * field left empty, a name that no field has) is a {@link PageMistake}.
 */
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";

export type AskPage = (request: Omit<WebRequest, "id">) => Promise<WebResponse | undefined>;

/** The visitor wants what the page does not offer. */
export class PageMistake extends Error {}

interface PageForm {
  readonly action: string;
  /** Label of its button. */
  readonly label: string;
  readonly fields: Map<string, string>;
  readonly required: readonly string[];
}

const HOST = "192.168.4.1";

export class OwnerPages {
  /** What the last page said, as text, in one line. */
  text = "";
  status = 0;
  #cookie = "";
  #path = "/";
  #forms: readonly PageForm[] = [];

  constructor(private readonly ask: AskPage) {}

  async open(path: string): Promise<void> {
    this.#path = path;
    await this.#send("GET", path, "");
  }

  /** The page asks for the secret. */
  get asksSecret(): boolean {
    return this.#forms.some(({ action }) => action === "/login");
  }

  async logIn(secret: string): Promise<void> {
    const path = this.#path;
    await this.press("Go on", { secret });
    if (this.status === 200 && path !== this.#path) await this.open(path);
  }

  /** Presses a button; where several have the same label, that of the upstream `of`. */
  async press(label: string, fill: Readonly<Record<string, string>> = {}, of?: string): Promise<void> {
    const fits = (form: PageForm): boolean => of === undefined || form.fields.get("source") === of;
    const found = this.#forms.filter((form) => form.label === label && fits(form));
    const [form] = found;
    if (form === undefined || found.length > 1) {
      const there = this.#forms.map((one) => `"${one.label}"`).join(", ") || "none";
      const which = of === undefined ? "" : ` of "${of}"`;
      throw new PageMistake(
        `the page has ${found.length} buttons "${label}"${which}; there are ${there}; it says: ${this.text}`,
      );
    }
    const fields = new Map(form.fields);
    for (const [name, value] of Object.entries(fill)) {
      if (!fields.has(name))
        throw new PageMistake(
          `the form of "${label}" has no field "${name}"; it has ${[...fields.keys()].join(", ")}`,
        );
      fields.set(name, value);
    }
    for (const name of form.required)
      if (fields.get(name) === "") throw new PageMistake(`the form of "${label}" wants "${name}" filled in`);
    await this.#send("POST", form.action, new URLSearchParams([...fields]).toString());
  }

  async #send(method: string, target: string, body: string): Promise<void> {
    const response = await this.ask({
      ...{ method, target, body, host: HOST, cookie: this.#cookie },
      ...{
        origin: method === "POST" ? `http://${HOST}` : "",
        site: method === "POST" ? "same-origin" : "none",
      },
    });
    if (response === undefined) throw new PageMistake("nobody answers at the module's address");
    const header = (wanted: string) => response.headers.find(([name]) => name === wanted)?.[1];
    this.#cookie = header("set-cookie")?.split(";")[0] ?? this.#cookie;
    const location = header("location");
    if (response.status === 303 && location !== undefined) {
      this.#path = location;
      return await this.#send("GET", location, "");
    }
    this.status = response.status;
    this.text = plain(response.body.replace(/^.*?<main>/s, ""));
    this.#forms = formsOf(response.body);
  }
}

function plain(html: string): string {
  return unescaped(
    html
      .replaceAll(/<(?:button|select|option)\b.*?<\/(?:button|select|option)>/gs, " ")
      .replaceAll(/<[^>]*>/g, " "),
  )
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ([.,;:])/g, "$1")
    .trim();
}

function unescaped(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
}

/** The forms of a page of ours: inputs and selects by their names, and one button each. */
function formsOf(html: string): PageForm[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head = "", inner = ""]) => {
    const fields = new Map<string, string>();
    const required: string[] = [];
    for (const [tag, , options] of inner.matchAll(
      /<(input|select)\b[^>]*>(?:(?<=<select\b[^>]*>)(.*?)<\/select>)?/gs,
    )) {
      const open = tag.slice(0, tag.indexOf(">") + 1);
      const name = attribute(open, "name");
      if (name === undefined) continue;
      if (/\srequired\b/.test(open)) required.push(name);
      const all = [...(options ?? "").matchAll(/<option\b[^>]*>/g)].map(([one]) => one);
      const chosen = all.find((one) => /\sselected\b/.test(one)) ?? all[0];
      fields.set(name, attribute(chosen ?? open, "value") ?? "");
    }
    const label = plain(
      (/<button\b[^>]*>(.*?)<\/button>/s.exec(inner)?.[1] ?? "").replaceAll(/<[^>]*>/g, ""),
    );
    return { action: attribute(head, "action") ?? "", label, fields, required };
  });
}
