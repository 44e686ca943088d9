import { isNameChar, isXmlChar, isXmlSpace } from "./xml-chars.js";

/**
 * Version, encoding and standalone of an XML declaration, or undefined where it is wrong. By hand, because every
 * document has one and an engine compiles a regular expression anew each time.
 */
export function declared(text: string): (string | undefined)[] | undefined {
  const names = ["version", "encoding", "standalone"];
  const values: (string | undefined)[] = [undefined, undefined, undefined];
  const skip = (at: number): number => {
    while (at < text.length && isXmlSpace(text.charCodeAt(at))) at++;
    return at;
  };
  let next = 0;
  for (let at = 0; ;) {
    const name = skip(at);
    if (name >= text.length) break;
    let end = name;
    while (end < text.length && isNameChar(text.charCodeAt(end))) end++;
    const which = names.indexOf(text.slice(name, end), next);
    if (name === at || which < 0) return undefined;
    next = which + 1;
    const equals = skip(end);
    const open = skip(equals + 1);
    const quote = text.charAt(open);
    const close = text.indexOf(quote, open + 1);
    if (text.charAt(equals) !== "=" || (quote !== '"' && quote !== "'") || close < 0) return undefined;
    values[which] = text.slice(open + 1, close);
    at = close + 1;
  }
  const [version, , standalone] = values;
  const wrong =
    version === undefined || !(standalone === undefined || standalone === "yes" || standalone === "no");
  return wrong ? undefined : values;
}

/** The code point that an entity stands for, −1 for one that is unknown or stands for no character. */
export function entityCode(word: string): number {
  switch (word) {
    case "amp":
      return 0x26;
    case "lt":
      return 0x3c;
    case "gt":
      return 0x3e;
    case "quot":
      return 0x22;
    case "apos":
      return 0x27;
    default: {
      const hex = /^#x[0-9a-fA-F]+$/.test(word);
      if (!hex && !/^#[0-9]+$/.test(word)) return -1;
      const code = hex ? parseInt(word.slice(2), 16) : parseInt(word.slice(1), 10);
      return isXmlChar(code) ? code : -1;
    }
  }
}
