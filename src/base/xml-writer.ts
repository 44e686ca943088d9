/** Characters that are gathered before they become a block: few blocks, and no long text is copied for a short one. */
const BLOCK_CHARS = 480;

/** Writes XML into blocks of text. Names come from our own code and are not checked; text is escaped. */
export class XmlWriter {
  private readonly blocks: string[] = [];
  private readonly tags: string[] = [];
  private tail: string;

  constructor(head = "") {
    this.tail = head;
  }

  private put(text: string): this {
    this.tail += text;
    if (this.tail.length >= BLOCK_CHARS) {
      this.blocks.push(this.tail);
      this.tail = "";
    }
    return this;
  }

  /** Opens an element; `attributes` is raw text that begins with a blank. */
  open(name: string, attributes = ""): this {
    this.tags.push(name);
    return this.put(`<${name}${attributes}>`);
  }

  close(): this {
    return this.put(`</${this.tags.pop() ?? ""}>`);
  }

  /** An element that holds text alone. */
  leaf(name: string, text: string | number): this {
    return this.put(`<${name}>${typeof text === "number" ? String(text) : xmlEscape(text)}</${name}>`);
  }

  /** Closes what is open and gives the document. */
  done(): string {
    while (this.tags.length > 0) this.close();
    this.blocks.push(this.tail);
    return this.blocks.join("");
  }
}

/** Text and attribute values alike. Characters that XML cannot carry become U+FFFD. */
export function xmlEscape(text: string): string {
  let out = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    let by: string;
    if (c === 0x26) by = "&amp;";
    else if (c === 0x3c) by = "&lt;";
    else if (c === 0x3e) by = "&gt;";
    else if (c === 0x22) by = "&quot;";
    else if (c === 0x0d) by = "&#13;";
    else if ((c < 0x20 && c !== 0x0a && c !== 0x09) || c >= 0xfffe) by = "\ufffd";
    else if (c >= 0xd800 && c <= 0xdfff) {
      const low = c < 0xdc00 ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        i++;
        continue;
      }
      by = "\ufffd";
    } else continue;
    out += text.slice(from, i) + by;
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}
