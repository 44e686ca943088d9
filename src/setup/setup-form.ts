import { fromHex } from "../base/hex.js";
import { utf8Length } from "../base/utf8.js";
import { readConfig, type UcmConfig, type UpstreamConfig } from "./config.js";
import { esc, hiddenForm, page } from "./html.js";

/** What the setup page asks the world to keep. Secrets stand apart, so that no configuration ever holds one. */
export interface Setup {
  /** A part of a configuration document: one upstream, region and time zone. */
  readonly document: {
    readonly upstreams: readonly Partial<UpstreamConfig>[];
    readonly region: UcmConfig["region"];
    readonly timeZone: string;
  };
  /** "" = as it is. `passphrase` of 64 hex digits is the key (PSK) itself. */
  readonly wifi: { readonly ssid: string; readonly passphrase: string };
  /** Of the upstream: what its `clientSecretFile` or `passwordFile` holds; "" = as it is. */
  readonly secret: string;
}

/** Name under which the world keeps an upstream's secret, relative to the configuration. */
export function secretFileName(id: string): string {
  return `${id}.secret`;
}

/** Rules of the places where the first modules will hang; any other can be typed. */
const ZONES: readonly (readonly [string, string])[] = [
  ["EST5EDT,M3.2.0,M11.1.0", "US Eastern"],
  ["CST6CDT,M3.2.0,M11.1.0", "US Central"],
  ["MST7MDT,M3.2.0,M11.1.0", "US Mountain"],
  ["MST7", "US Arizona"],
  ["PST8PDT,M3.2.0,M11.1.0", "US Pacific"],
  ["GMT0BST,M3.5.0/1,M10.5.0", "United Kingdom"],
  ["ACST-9:30ACDT,M10.1.0,M4.1.0/3", "South Australia"],
  ["AEST-10AEDT,M10.1.0,M4.1.0/3", "Sydney, Melbourne, Hobart"],
  ["AEST-10", "Queensland"],
  ["AWST-8", "Western Australia"],
  ["UTC0", "UTC"],
];

const MOST_FIELD = 200;

/** What the form calls the fields of a configuration. */
const LABELS: readonly (readonly [string, string])[] = [
  ["upstreams[0].url", "The address"],
  ["upstreams[0].venName", "The name that it has given you"],
  ["upstreams[0].chargePointId", "The name that it has given you"],
  ["upstreams[0].id", "The short name"],
  ["timeZone", "The time zone"],
  ["region", "The place"],
];

function inOwnersWords(text: string): string {
  let plain = text;
  for (const [field, label] of LABELS) if (plain.startsWith(field)) plain = label + plain.slice(field.length);
  return `${plain}.`;
}

/** A passphrase (IEEE 802.11 J.4: 8 to 63 characters of ASCII), or the key itself: 64 hex digits, as ESP-IDF tells them apart. */
function isWifiPassword(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32 || text.charCodeAt(i) > 126) return false;
  return text.length === 64 ? fromHex(text)?.length === 32 : text.length >= 8 && text.length < 64;
}

/** Reads the form; a text where something is wrong with it, for the owner. `first`: the module knows no network yet. */
export function readSetup(
  form: ReadonlyMap<string, string>,
  withWifi: boolean,
  first = false,
): Setup | string {
  const field = (name: string): string => (form.get(name) ?? "").trim();
  for (const value of form.values()) if (value.length > MOST_FIELD) return "A field is too long.";
  const ssid = withWifi ? field("ssid") : "";
  const passphrase = withWifi ? (form.get("passphrase") ?? "") : "";
  if (withWifi && ssid === "" && (first || passphrase !== ""))
    return "The name of your Wi-Fi network is missing.";
  if (utf8Length(ssid) > 32)
    return "The name of a Wi-Fi network has at most 32 characters, accents and signs counting twice or more.";
  if (passphrase !== "" && !isWifiPassword(passphrase))
    return "A Wi-Fi password has 8 to 63 characters: letters without accents, digits and signs. A key has 64: digits and a to f.";
  const id = field("id") || "utility";
  for (const letter of id)
    if (!"abcdefghijklmnopqrstuvwxyz0123456789-".includes(letter))
      return "The short name may have small letters, digits and dashes.";
  const protocol = field("protocol") as UpstreamConfig["protocol"];
  const name = field("name");
  const secret = form.get("secret") ?? "";
  const named =
    name === ""
      ? {}
      : protocol === "openadr3"
        ? {
            venName: name,
            ...(secret === "" ? {} : { clientId: name, clientSecretFile: secretFileName(id) }),
          }
        : protocol === "ocpp16"
          ? { chargePointId: name, ...(secret === "" ? {} : { passwordFile: secretFileName(id) }) }
          : { venName: name };
  const url = field("url");
  const scheme = protocol === "ocpp16" ? "wss://" : "https://";
  // In the open to this computer itself alone: benches have it so.
  if (
    !url.startsWith(scheme) &&
    !url.startsWith("mdns:") &&
    !/^(http|ws):\/\/(localhost|127\.0\.0\.1)[:/]/.test(url)
  )
    return `The address must begin with ${scheme}.`;
  const upstream = { id, protocol, url, ...named };
  const region = field("region") as UcmConfig["region"];
  if (field("region") === "" || field("zone") === "") return "Choose where you are.";
  const document = { upstreams: [upstream], region, timeZone: field("zone") };
  const checked = readConfig(document);
  if (!("upstreams" in checked)) return checked.map(({ text }) => inOwnersWords(text)).join(" ");
  return { document, wifi: { ssid, passphrase }, secret };
}

/** The form, filled with what is known: what was typed, or what is in force. Never with a secret. */
export function setupPage(
  config: UcmConfig,
  typed: ReadonlyMap<string, string>,
  formToken: string,
  told: string,
  withWifi: boolean,
  first: boolean,
): string {
  const upstream = config.upstreams[0];
  // Nobody has said where a new module is: a place that happens to stand there would be saved by whoever reads on.
  const choose = first && config.timeZone === "UTC0";
  const known: Readonly<Record<string, string>> = {
    id: upstream?.id ?? "utility",
    protocol: upstream?.protocol ?? "openadr2b",
    url: upstream?.url ?? "https://",
    name: upstream?.venName ?? upstream?.chargePointId ?? "",
    region: choose ? "" : config.region,
    zone: choose ? "" : config.timeZone,
  };
  const value = (name: string): string => typed.get(name) ?? known[name] ?? "";
  const option = (name: string, key: string, label: string): string =>
    `<option value="${esc(key)}"${value(name) === key ? " selected" : ""}>${esc(label)}</option>`;
  const input = (name: string, label: string, more = ""): string =>
    `<label for="${name}">${label}</label><input id="${name}" name="${name}" value="${esc(value(name))}" ${more}>`;
  const zone = value("zone");
  const zones = [...ZONES];
  if (choose) zones.unshift(["", "Choose"]);
  if (!zones.some(([rule]) => rule === zone)) zones.unshift([zone, zone]);
  const wifi = withWifi
    ? `<section><h2>Wi-Fi</h2>${input("ssid", "Name of your network", `maxlength="32" autocomplete="off"${first ? " required" : ""}`)}<label for="passphrase">Its password</label><input id="passphrase" name="passphrase" type="password" maxlength="64" autocomplete="off">${first ? "" : '<p class="m">Leave both empty to keep the present network.</p>'}</section>`
    : "";
  return page(
    first ? "Set up your module" : "Wi-Fi and utility",
    `${told === "" ? "" : `<section role="alert"><p class="w">${esc(told)}</p></section>`}<form method="post" action="/setup">${hiddenForm(formToken)}${wifi}<section><h2>Utility</h2><label for="protocol">It speaks</label><select id="protocol" name="protocol">${option("protocol", "openadr2b", "OpenADR 2.0b")}${option("protocol", "openadr3", "OpenADR 3.1")}${option("protocol", "ocpp16", "OCPP 1.6")}</select>${input("url", "Address", 'required inputmode="url" autocomplete="off"')}${input("name", "Name that it has given you", 'maxlength="100" autocomplete="off"')}<label for="secret">Password that it has given you, if any</label><input id="secret" name="secret" type="password" maxlength="100" autocomplete="off">${input("id", "Short name for it here", 'required maxlength="32" autocomplete="off"')}</section><section><h2>Where you are</h2><label for="region">Rules of</label><select id="region" name="region" required>${choose ? '<option value="">Choose</option>' : ""}${option("region", "us", "United States")}${option("region", "au", "Australia")}${option("region", "uk", "United Kingdom")}</select><label for="zone">Time zone</label><select id="zone" name="zone" required>${zones.map(([rule, label]) => option("zone", rule, label)).join("")}</select></section><button class="p">Save and start</button></form>`,
    first ? "" : "/settings",
  );
}
