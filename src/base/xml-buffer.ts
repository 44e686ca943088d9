/** Text, an attribute value or a name of XML in the making: UTF-16 units up to a limit, whatever the sender does. */
import { isNameStart, isXmlSpace } from "./xml-chars.js";

export class XmlBuffer {
  length = 0;
  /** Where the colon of a name stands; −1 for none. */
  colon = -1;
  /** Something did not fit and was dropped. */
  cut = false;
  /** More than white space has come. */
  solid = false;
  private readonly units: Uint16Array;
  private readonly textLimit: number;
  private readonly nameLimit: number;

  constructor(textLimit: number, nameLimit: number) {
    this.units = new Uint16Array(Math.max(textLimit, nameLimit) + 2);
    this.textLimit = textLimit;
    this.nameLimit = nameLimit;
  }

  clear(): void {
    this.length = 0;
    this.colon = -1;
    this.cut = false;
    this.solid = false;
  }

  put(c: number): void {
    // A surrogate pair is kept or dropped as a whole.
    if (this.length + (c > 0xffff ? 2 : 1) > this.textLimit) {
      this.cut = true;
      return;
    }
    this.store(c);
  }

  putText(c: number): void {
    if (!this.solid) {
      if (!isXmlSpace(c)) this.solid = true;
      // Indentation longer than half the buffer is dropped, or it could hide the text behind it.
      if (this.length * 2 > this.textLimit) this.length = 0;
    }
    this.put(c);
  }

  /** Takes ASCII that stands for itself wherever it is but at the start of a name, as far as there is room; how many. */
  run(bytes: Uint8Array, from: number, to: number, inName: boolean): number {
    const { units } = this;
    let length = this.length;
    const room = (inName ? this.nameLimit - 1 : this.textLimit) - length;
    const end = Math.min(to, from + room);
    let i = from;
    for (; i < end; i++) {
      const c = bytes[i]!;
      const isLetter = (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
      // Of the others - . and digits, and in texts what lies between them and is no mark-up.
      if (!isLetter && (c < 0x2d || c > 0x3a || (inName && (c === 0x2f || c === 0x3a)))) break;
      units[length++] = c;
    }
    this.length = length;
    return i - from;
  }

  /** False where the name is too long. A colon that stands wrong makes `colon` −2. */
  putName(c: number): boolean {
    if (c === 0x3a) this.colon = this.colon !== -1 || this.length === 0 ? -2 : this.length;
    if (this.length + 2 > this.nameLimit) return false;
    this.store(c);
    return true;
  }

  /** A string of it. Eight at a time: one at a time copies too often, all at once fills the stack. */
  take(from = 0, to = this.length): string {
    const b = this.units;
    let text = "";
    let i = from;
    for (; i + 8 <= to; i += 8) {
      text += String.fromCharCode(
        b[i]!,
        b[i + 1]!,
        b[i + 2]!,
        b[i + 3]!,
        b[i + 4]!,
        b[i + 5]!,
        b[i + 6]!,
        b[i + 7]!,
      );
    }
    for (; i < to; i++) text += String.fromCharCode(b[i]!);
    return text;
  }

  same(text: string, from: number, to: number): boolean {
    if (text.length !== to - from) return false;
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== this.units[from + i]) return false;
    return true;
  }

  /** The part of a name after the colon; undefined where it is no name of its own (`a:1`, `a:`). */
  local(): string | undefined {
    const from = this.colon + 1;
    return from < this.length && isNameStart(this.codeAt(from)) ? this.take(from) : undefined;
  }

  private store(c: number): void {
    if (c > 0xffff) {
      this.units[this.length++] = 0xd800 + ((c - 0x10000) >> 10);
      this.units[this.length++] = 0xdc00 + ((c - 0x10000) & 0x3ff);
    } else this.units[this.length++] = c;
  }

  private codeAt(i: number): number {
    const c = this.units[i]!;
    return c >= 0xd800 && c < 0xdc00 ? 0x10000 + ((c - 0xd800) << 10) + (this.units[i + 1]! - 0xdc00) : c;
  }
}
