/**
 * What the dissectors must know of CTA-2045, taken from `src/wire` so that it stands in one place: the words of
 * every Basic and data-link message, the layouts of the Intermediate messages, and the names of codes.
 */
import { LOAD_UP_SETTLED } from "../../src/wire/advanced-load-up.js";
import { basicName, basicTitle, describeBasic } from "../../src/wire/basic-words.js";
import { layoutGroups } from "../../src/wire/intermediate.js";
import { responseName } from "../../src/wire/intermediate-words.js";
import { type Group, type Layout } from "../../src/wire/layout.js";
import { dataLinkName, describeDataLink, nakName, typeName } from "../../src/wire/link-words.js";
import { defaultSettings } from "../../src/wire/settings.js";
import { hexByte } from "../../src/wire/words.js";
import { HEADER_BYTES, LINK_TYPE, MARK_BITS, SENDERS } from "../../host-sim/capture/pseudo-header.js";

/** Plain data: what both languages can write down. */
export type Plain = number | string | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** A table by code: the commonest text as a pattern (`{d}` decimal, `{x}` hex), and the others by code. */
interface Words {
  readonly other: string;
  readonly by: { readonly [code: string]: string };
}

function wordsOf(text: (code: number) => string, codes = 256): Words {
  const patterns = (code: number): string[] => {
    const plain = text(code);
    return [plain, plain.replaceAll(hexByte(code), "{x}"), plain.replace(new RegExp(`\\b${code}\\b`), "{d}")];
  };
  const count = new Map<string, number>();
  for (let code = 0; code < codes; code++) {
    for (const pattern of new Set(patterns(code))) count.set(pattern, (count.get(pattern) ?? 0) + 1);
  }
  const other = [...count].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  const by: Record<string, string> = {};
  for (let code = 0; code < codes; code++) {
    const usual = other.replaceAll("{x}", hexByte(code)).replaceAll("{d}", String(code));
    if (text(code) !== usual) by[code] = text(code);
  }
  return { other, by };
}

/** Texts of all opcodes; the tables of opcode2 that are equal stand once. */
function family(
  name: (op: number) => string | undefined,
  text: (op: number, arg: number) => string,
  title: (op: number) => string,
): Plain {
  const tables: Words[] = [];
  const ops: Record<string, Plain> = {};
  for (let op = 0; op < 256; op++) {
    const named = name(op);
    if (named === undefined) continue;
    const head = title(op);
    const words = wordsOf((arg) => text(op, arg).slice(head.length));
    const same = JSON.stringify(words);
    let index = tables.findIndex((one) => JSON.stringify(one) === same);
    if (index < 0) index = tables.push(words) - 1;
    ops[op] = { name: named, title: head, words: index };
  }
  return { ops, tables: tables as unknown as Plain };
}

function fieldsOf(group: Group): Plain {
  return Object.entries(group.fields).map(([name, kind]) => [
    name,
    typeof kind === "object" ? groupOf(kind) : kind,
  ]);
}

function groupOf(group: Group): Plain {
  return {
    least: group.least,
    list: group.list === true,
    cut: group.cut === true,
    fields: fieldsOf(group),
  };
}

function layoutOf(layout: Layout): Plain {
  return { name: layout.name, op: layout.op, whole: layout.whole === true, ...(groupOf(layout) as object) };
}

/** What every text of an opcode begins with. */
function commonTitle(text: (arg: number) => string): string {
  let head = text(0);
  for (let arg = 1; arg < 256; arg++) {
    const one = text(arg);
    let n = 0;
    while (n < head.length && head[n] === one[n]) n++;
    head = head.slice(0, n);
  }
  return head;
}

/** Everything, in one order. */
export function dissectorTables(): { readonly [name: string]: Plain } {
  const basicText = (op: number, arg: number): string => describeBasic({ family: "basic", op, arg });
  const linkText = (op: number, arg: number): string => describeDataLink({ family: "data-link", op, arg });
  const passThrough: Record<string, string> = {};
  for (let type = 0x0901; type <= 0x090c; type++) passThrough[type] = typeName(type);
  return {
    LINK_TYPE,
    HEADER_BYTES,
    SENDERS,
    MARK_BITS,
    MEASURED_BIT: defaultSettings.measuredBit,
    BASIC: family(basicName, basicText, basicTitle),
    DATA_LINK: family(dataLinkName, linkText, (op) => commonTitle((arg) => linkText(op, arg))),
    LAYOUTS: layoutGroups.flat().map(layoutOf),
    UNTRUSTED: defaultSettings.untrusted,
    LOAD_UP_SETTLED: defaultSettings.loadUpTail ? 0x2000 : LOAD_UP_SETTLED,
    RESPONSES: wordsOf(responseName) as unknown as Plain,
    LINK_NAKS: wordsOf(nakName) as unknown as Plain,
    PASS_THROUGH: passThrough,
  };
}
