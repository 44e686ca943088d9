/** Small pieces of text that the descriptions of all families share. */

/** Two upper-case hex digits. */
export function hexByte(value: number): string {
  return hexNumber(value, 2);
}

/** Upper-case hex of at least `digits` digits. */
export function hexNumber(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

/** A name with its number behind it: "Running Curtailed (2)". */
export function named(name: string, value: number): string {
  return `${name} (${value})`;
}

/**
 * The line at `index` of a list, undefined beyond its end. A list that is one string takes less byte code and
 * no slot an item, and is taken apart only where somebody asks for words.
 */
export function pick(lines: string, index: number): string | undefined {
  return lines.split("\n")[index];
}

/** The key whose value is `value`, undefined where none is. */
export function keyOf(table: { readonly [key: string]: number }, value: number): string | undefined {
  for (const key in table) if (table[key] === value) return key;
  return undefined;
}

/** "30 min", "1 h 1 min 38 s"; whole seconds. */
export function durationText(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = seconds % 60;
  let text = hours > 0 ? `${hours} h` : "";
  if (minutes > 0) text += `${text && " "}${minutes} min`;
  if (rest > 0 || text === "") text += `${text && " "}${rest} s`;
  return text;
}

/** Text from the wire in quotes, with everything that is not printable ASCII as `\xNN`. */
export function quoted(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const plain = code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c;
    out += plain ? text[i]! : `\\x${hexByte(code)}`;
  }
  return out + '"';
}
