/** Writes XML into string parts. Names come from our own code and are not checked; text is escaped. */
export class XmlWriter {
  private readonly parts: string[] = [];
  private readonly tags: string[] = [];

  constructor(head = "") {
    if (head !== "") this.parts.push(head);
  }

  /** Opens an element; `attributes` is raw text that begins with a blank. */
  open(name: string, attributes = ""): this {
    this.parts.push("<", name, attributes, ">");
    this.tags.push(name);
    return this;
  }

  close(): this {
    this.parts.push("</", this.tags.pop() ?? "", ">");
    return this;
  }

  /** An element that holds text alone. */
  leaf(name: string, text: string | number): this {
    this.parts.push(
      "<",
      name,
      ">",
      typeof text === "number" ? String(text) : xmlEscape(text),
      "</",
      name,
      ">",
    );
    return this;
  }

  /** Closes what is open and gives the document. */
  done(): string {
    while (this.tags.length > 0) this.close();
    return this.parts.join("");
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
