/** Text as it may stand in HTML, in attributes too: what a utility or a charger sends must not become markup. */
export function esc(text: string): string {
  let safe = "";
  for (const letter of text) {
    switch (letter) {
      case "&":
        safe += "&amp;";
        break;
      case "<":
        safe += "&lt;";
        break;
      case ">":
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case "'":
        safe += "&#39;";
        break;
      default:
        safe += letter;
    }
  }
  return safe;
}

/** The fields of a form, application/x-www-form-urlencoded; undefined where it is none. At most 64 fields. */
export function readForm(body: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  if (body === "") return fields;
  const parts = body.split("&");
  if (parts.length > 64) return undefined;
  try {
    for (const part of parts) {
      const at = part.indexOf("=");
      const text = (raw: string): string => decodeURIComponent(raw.replaceAll("+", " "));
      const name = text(at < 0 ? part : part.slice(0, at));
      fields.set(name, at < 0 ? "" : text(part.slice(at + 1)));
    }
  } catch {
    return undefined;
  }
  return fields;
}

/** The style sheet of every page, served as `/style.css` so that no inline style is allowed. */
export const STYLE = `:root{color-scheme:light dark;--b:#f6f7f9;--c:#fff;--t:#16202c;--m:#556;--a:#0b5c8a;--l:#ccd3da;--w:#8a3b00}
@media(prefers-color-scheme:dark){:root{--b:#10161d;--c:#1a232d;--t:#e8edf2;--m:#a9b6c2;--a:#6fc0ee;--l:#35424f;--w:#ffb37a}}
*{box-sizing:border-box}body{margin:0 auto;max-width:34rem;padding:0 1rem 3rem;background:var(--b);color:var(--t);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.3rem;margin:1rem 0 .5rem}h2{font-size:1.05rem;margin:0 0 .4rem}nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:.6rem 0;border-bottom:1px solid var(--l)}
a{color:var(--a);padding:.3rem 0}nav a[aria-current]{font-weight:700;text-decoration:none;color:var(--t)}
section{background:var(--c);border:1px solid var(--l);border-radius:.6rem;padding:1rem;margin:1rem 0}p{margin:.3rem 0}.big{font-size:1.5rem;font-weight:650;line-height:1.25}
.m{color:var(--m)}.w{color:var(--w);font-weight:600}label{display:block;margin:.7rem 0 .2rem;font-weight:600}
input:not([type=radio]):not([type=checkbox]),select{width:100%;padding:.6rem;font:inherit;color:var(--t);background:var(--b);border:1px solid var(--m);border-radius:.4rem}
button{font:inherit;font-weight:600;margin:.5rem .4rem 0 0;padding:.6rem 1rem;min-height:44px;border-radius:.4rem;border:1px solid var(--a);background:var(--c);color:var(--a);cursor:pointer}
button.p{background:var(--a);color:var(--c)}form.i{display:inline}table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--l);vertical-align:top}
th{font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}:focus-visible{outline:3px solid var(--a);outline-offset:2px}`;

/** A whole page. `inner` is HTML; `title` is text. */
export function page(title: string, inner: string, here: string): string {
  const tab = (href: string, name: string): string =>
    `<a href="${href}"${href === here ? ' aria-current="page"' : ""}>${name}</a>`;
  const nav =
    here === ""
      ? ""
      : `<nav aria-label="Pages">${tab("/", "Now")}${tab("/history", "History")}${tab("/settings", "Settings")}</nav>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${esc(title)}</title><link rel="stylesheet" href="/style.css"></head><body>${nav}<main><h1>${esc(title)}</h1>${inner}</main></body></html>`;
}

/** What shows that a form is of our own page. */
export function hiddenForm(form: string): string {
  return `<input type="hidden" name="form" value="${form}">`;
}

/** One button that posts to `/order`. `fields` are plain words of ours. */
export function button(
  form: string,
  label: string,
  fields: Readonly<Record<string, string>>,
  primary = false,
): string {
  let hidden = "";
  for (const [name, value] of Object.entries(fields))
    hidden += `<input type="hidden" name="${name}" value="${esc(value)}">`;
  return `<form class="i" method="post" action="/order">${hiddenForm(form)}${hidden}<button${primary ? ' class="p"' : ""}>${esc(label)}</button></form>`;
}
