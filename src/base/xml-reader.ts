import { fault, type Fault } from "./fault.js";
import { UTF8_BAD, UTF8_MORE, Utf8Decoder } from "./utf8.js";
import { XmlBuffer } from "./xml-buffer.js";
import { isNameChar, isNameStart, isXmlChar, isXmlSpace } from "./xml-chars.js";
import { XmlTags } from "./xml-tags.js";
import { declared, entityCode } from "./xml-words.js";

/*
 * A push reader for the XML that machines send each other. It takes bytes in any pieces and tells a handler of
 * elements and text as they come; it builds no tree, and what it holds is bounded by its limits whatever the
 * sender does. It checks well-formedness and namespaces (XML 1.0 fifth edition, Namespaces 1.0 third edition).
 * Refused although XML allows them: DOCTYPE, any encoding but UTF-8, XML 1.1.
 * Members are `private` and not `#`: an engine keeps a private method as a slot of every object.
 */

/** Known names: URI → local name → a small integer above 0 that the caller chooses. */
export interface XmlNames {
  readonly [uri: string]: { readonly [local: string]: number };
}

/** What {@link XmlHandler} is given for a name that is not in the table. */
export const XML_UNKNOWN = 0;

export interface XmlHandler {
  /** A start tag. `xml` answers for its attributes, URI and local name during this call only. */
  open(name: number, xml: XmlReader): void;
  /**
   * The text between two tags, CDATA and entities resolved, comments and PIs passed over; runs of white space
   * alone are not told, and much of it before the first word may be missing. `cut`: the text was longer than
   * the limit and is shortened.
   */
  text(text: string, cut: boolean): void;
  close(name: number): void;
}

export interface XmlLimits {
  readonly documentBytes: number;
  readonly depth: number;
  /** UTF-16 units of a text or attribute value that are kept. */
  readonly text: number;
  readonly name: number;
  readonly attributes: number;
  /** Namespace declarations in force at once. */
  readonly namespaces: number;
}

export const XML_LIMITS: XmlLimits = {
  documentBytes: 65_536,
  depth: 24,
  text: 256,
  name: 64,
  attributes: 16,
  namespaces: 64,
};

// States. Plain numbers: a switch over them costs the chip nothing.
const TEXT = 0;
const LT = 1;
const OPEN_NAME = 2;
const IN_TAG = 3;
const ATTR_NAME = 4;
const ATTR_EQ = 5;
const ATTR_QUOTE = 6;
const ATTR_VALUE = 7;
const ATTR_AFTER = 8;
const EMPTY_TAG = 9;
const CLOSE_NAME = 10;
const CLOSE_AFTER = 11;
const BANG = 12;
const COMMENT = 13;
const COMMENT_1 = 14;
const COMMENT_2 = 15;
const CDATA = 16;
const CDATA_1 = 17;
const CDATA_2 = 18;
const PI_TARGET = 19;
const PI_BODY = 20;
const PI_END = 21;
const DECLARATION = 22;
const DECLARATION_END = 23;
const ENTITY = 24;

const CDATA_WORD = "[CDATA[";
const DOCTYPE_WORD = "DOCTYPE";

export class XmlReader {
  private readonly names: XmlNames;
  private readonly handler: XmlHandler;
  private readonly limits: XmlLimits;
  private readonly utf8 = new Utf8Decoder();
  private fault: Fault | undefined;
  private bytes = 0;
  private state = TEXT;
  private back = TEXT;
  private cr = false;
  private first = true;
  private sawRoot = false;
  private declarable = true;

  private readonly buffer: XmlBuffer;
  private readonly tags = new XmlTags();
  private brackets = 0;
  private quote = 0;
  private word = "";

  constructor(names: XmlNames, handler: XmlHandler, limits: XmlLimits = XML_LIMITS) {
    this.names = names;
    this.handler = handler;
    this.limits = limits;
    this.buffer = new XmlBuffer(limits.text, limits.name);
  }

  /** Takes the next bytes. The first fault stays: later calls give it again. */
  push(bytes: Uint8Array): Fault | undefined {
    const { buffer } = this;
    const end = bytes.length;
    for (let i = 0; i < end && this.fault === undefined; i++) {
      if (buffer.length > 0) {
        i += this.run(bytes, i);
        if (i === end) break;
      }
      if (++this.bytes > this.limits.documentBytes) {
        return this.fail("xml-document-too-long", `more than ${this.limits.documentBytes} bytes`);
      }
      let c = this.utf8.push(bytes[i]!);
      if (c === UTF8_MORE) continue;
      if (c === UTF8_BAD) return this.fail("xml-encoding", "the bytes are not UTF-8");
      if (this.first) {
        this.first = false;
        if (c === 0xfeff) continue;
      }
      // Line ends are LF before anything else looks at them (clause 2.11).
      const afterCr = this.cr;
      this.cr = c === 0x0d;
      if (c === 0x0a && afterCr) continue;
      if (c === 0x0d) c = 0x0a;
      if (!isXmlChar(c)) return this.fail("xml-malformed", "a character that XML forbids");
      this.char(c);
    }
    return this.fault;
  }

  /** The document is over; a fault if it was not whole. */
  end(): Fault | undefined {
    if (this.fault !== undefined) return this.fault;
    if (!this.utf8.whole) return this.fail("xml-encoding", "the bytes are not UTF-8");
    if (!this.sawRoot || this.depth > 0 || this.state !== TEXT) {
      return this.fail("xml-malformed", this.bytes === 0 ? "empty" : "it ends too early");
    }
    return undefined;
  }

  /** Called by a handler that will not read on. */
  refuse(why: Fault): void {
    this.fault ??= why;
  }

  /** URI and local name of the element being opened. */
  get uri(): string {
    return this.tags.uri;
  }

  get local(): string {
    return this.tags.local;
  }

  /** Elements open, the one being told included. */
  get depth(): number {
    return this.tags.depth;
  }

  get attributeCount(): number {
    return this.tags.attributes;
  }

  /** Value of an attribute of the element being opened; no-namespace attributes have the URI "". */
  attribute(uri: string, local: string): string | undefined {
    return this.tags.attribute(uri, local);
  }

  /** The attribute in that place, for tools and tests. */
  attributeAt(index: number): readonly [uri: string, local: string, value: string] {
    return this.tags.attributeAt(index);
  }

  private fail(code: string, text: string): Fault {
    return (this.fault ??= fault("server", code, `The XML is refused: ${text} (near byte ${this.bytes}).`));
  }

  private bad(text: string): void {
    this.fail("xml-malformed", text);
  }

  /** What goes on in a name or a text, most of any document, many bytes at a time. Answers how many it took. */
  private run(bytes: Uint8Array, from: number): number {
    const { buffer, state } = this;
    const inName = state === OPEN_NAME || state === CLOSE_NAME || state === ATTR_NAME;
    const inText = state === ATTR_VALUE || (state === TEXT && buffer.solid);
    if (!(inName || inText) || !this.utf8.whole) return 0;
    const to = Math.min(bytes.length, from + this.limits.documentBytes - this.bytes);
    const count = buffer.run(bytes, from, to, inName);
    if (count > 0) {
      this.bytes += count;
      this.brackets = 0;
      this.cr = false;
    }
    return count;
  }

  private char(c: number): void {
    switch (this.state) {
      case TEXT:
        this.text(c);
        return;
      case LT:
        this.afterLt(c);
        return;
      case OPEN_NAME:
        if (isNameChar(c)) this.putName(c);
        else {
          this.tags.begin(this.buffer);
          this.judge();
          this.inTag(c);
        }
        return;
      case IN_TAG:
        if (isNameStart(c)) {
          if (this.tags.attributes >= this.limits.attributes) {
            this.fail("xml-too-many-attributes", `more than ${this.limits.attributes} attributes`);
            return;
          }
          this.startName(c, ATTR_NAME);
        } else this.inTag(c);
        return;
      case ATTR_NAME:
        if (isNameChar(c)) {
          this.putName(c);
          return;
        }
        this.tags.attributeName(this.buffer);
        this.judge();
        this.state = ATTR_EQ;
        this.attributeEq(c);
        return;
      case ATTR_EQ:
        this.attributeEq(c);
        return;
      case ATTR_QUOTE:
        if (c === 0x22 || c === 0x27) {
          this.quote = c;
          this.buffer.clear();
          this.state = ATTR_VALUE;
        } else if (!isXmlSpace(c)) this.bad("an attribute value without quotes");
        return;
      case ATTR_VALUE:
        if (c === this.quote) {
          this.tags.attributeValue(this.buffer);
          this.judge();
          this.state = ATTR_AFTER;
        } else if (c === 0x26) this.entity();
        else if (c === 0x3c) this.bad("'<' in an attribute value");
        else this.buffer.put(isXmlSpace(c) ? 0x20 : c);
        return;
      case ATTR_AFTER:
        this.inTag(c);
        return;
      case EMPTY_TAG:
        if (c === 0x3e) this.openTag(true);
        else this.bad("'/' inside a tag");
        return;
      case CLOSE_NAME:
        this.closeName(c);
        return;
      case CLOSE_AFTER:
        if (c === 0x3e) this.closeTag();
        else if (!isXmlSpace(c)) this.bad("more than a name in an end tag");
        return;
      case BANG:
        this.bang(c);
        return;
      case COMMENT:
        if (c === 0x2d) this.state = COMMENT_1;
        return;
      case COMMENT_1:
        this.state = c === 0x2d ? COMMENT_2 : COMMENT;
        return;
      case COMMENT_2:
        if (c === 0x3e) this.state = TEXT;
        else this.bad("'--' inside a comment");
        return;
      case CDATA:
        if (c === 0x5d) this.state = CDATA_1;
        else this.buffer.putText(c);
        return;
      case CDATA_1:
        if (c === 0x5d) this.state = CDATA_2;
        else {
          this.buffer.putText(0x5d);
          this.buffer.putText(c);
          this.state = CDATA;
        }
        return;
      case CDATA_2:
        if (c === 0x3e) {
          this.state = TEXT;
          this.brackets = 0;
        } else {
          this.buffer.putText(0x5d);
          if (c === 0x5d) return;
          this.buffer.putText(0x5d);
          this.buffer.putText(c);
          this.state = CDATA;
        }
        return;
      case PI_TARGET:
        this.piTarget(c);
        return;
      case PI_BODY:
        if (c === 0x3f) this.state = PI_END;
        return;
      case PI_END:
        if (c === 0x3e) this.state = TEXT;
        else if (c !== 0x3f) this.state = PI_BODY;
        return;
      case DECLARATION:
        if (c === 0x3f) this.state = DECLARATION_END;
        else this.buffer.put(c);
        return;
      case DECLARATION_END:
        if (c === 0x3e) this.declaration();
        else this.bad("'?' inside the XML declaration");
        return;
      default:
        this.entityChar(c);
    }
  }

  private text(c: number): void {
    if (c === 0x3c) {
      this.state = LT;
      return;
    }
    if (this.depth === 0) {
      this.declarable = false;
      if (!isXmlSpace(c)) this.bad("text outside the root element");
      return;
    }
    if (c === 0x26) {
      this.brackets = 0;
      this.entity();
      return;
    }
    if (c === 0x5d) this.brackets++;
    else {
      if (c === 0x3e && this.brackets >= 2) this.bad("']]>' in text");
      this.brackets = 0;
    }
    this.buffer.putText(c);
  }

  private afterLt(c: number): void {
    this.brackets = 0;
    if (c === 0x21) {
      this.word = "";
      this.state = BANG;
      this.declarable = false;
    } else if (c === 0x3f) {
      this.word = "";
      this.state = PI_TARGET;
    } else if (c === 0x2f) {
      this.flushText();
      this.state = CLOSE_NAME;
      if (this.depth === 0) this.bad("an end tag without a start tag");
    } else if (isNameStart(c)) {
      if (this.sawRoot && this.depth === 0) this.bad("a second root element");
      this.flushText();
      this.declarable = false;
      this.startName(c, OPEN_NAME);
    } else this.bad("'<' that begins no tag");
  }

  private inTag(c: number): void {
    if (c === 0x3e) this.openTag(false);
    else if (c === 0x2f) this.state = EMPTY_TAG;
    else if (isXmlSpace(c)) this.state = IN_TAG;
    else this.bad("a wrong character in a tag");
  }

  private attributeEq(c: number): void {
    if (c === 0x3d) this.state = ATTR_QUOTE;
    else if (!isXmlSpace(c)) this.bad("an attribute without value");
  }

  /** After `<!`: a comment, CDATA, or the DOCTYPE that is refused. */
  private bang(c: number): void {
    const word = this.word + String.fromCodePoint(c);
    this.word = word;
    if (word === "--") this.state = COMMENT;
    else if (word === CDATA_WORD) {
      if (this.depth === 0) this.bad("text outside the root element");
      this.state = CDATA;
    } else if (word === DOCTYPE_WORD) this.fail("xml-doctype", "it has a DOCTYPE, which is never accepted");
    else if (word !== "-" && !CDATA_WORD.startsWith(word) && !DOCTYPE_WORD.startsWith(word)) {
      this.bad("unknown markup after '<!'");
    }
  }

  private piTarget(c: number): void {
    const first = this.word === "";
    if (c !== 0x3a && (first ? isNameStart(c) : isNameChar(c))) {
      if (this.word.length >= this.limits.name) {
        this.fail("xml-name-too-long", `a name longer than ${this.limits.name}`);
      }
      this.word += String.fromCodePoint(c);
      return;
    }
    if (first || (c !== 0x3f && !isXmlSpace(c))) {
      this.bad("a processing instruction without a right name");
      return;
    }
    if (this.word === "xml" && this.declarable) {
      this.buffer.clear();
      this.declarable = false;
      this.state = DECLARATION;
      this.char(c);
      return;
    }
    this.declarable = false;
    if (this.word.toLowerCase() === "xml") this.bad("an XML declaration that is not at the start");
    this.state = c === 0x3f ? PI_END : PI_BODY;
  }

  /** `<?xml …?>`: version 1.0 and, where an encoding is named, UTF-8 (or its part ASCII). */
  private declaration(): void {
    const values = declared(this.buffer.take());
    this.buffer.clear();
    this.state = TEXT;
    if (values === undefined) {
      this.bad("a wrong XML declaration");
      return;
    }
    if (values[0] !== "1.0") {
      this.fail("xml-version", "only XML 1.0 is read");
      return;
    }
    const encoding = values[1]?.toLowerCase() ?? "utf-8";
    if (encoding !== "utf-8" && encoding !== "us-ascii") {
      this.fail("xml-encoding", "only UTF-8 is read");
    }
  }

  private entity(): void {
    this.word = "";
    this.back = this.state;
    this.state = ENTITY;
  }

  private entityChar(c: number): void {
    if (c !== 0x3b) {
      if (this.word.length >= 12) this.bad("an unknown entity");
      this.word += String.fromCodePoint(c);
      return;
    }
    this.state = this.back;
    const code = entityCode(this.word);
    if (code < 0) {
      this.bad("an unknown entity");
      return;
    }
    if (this.back === TEXT) this.buffer.putText(code);
    else this.buffer.put(code);
  }

  private startName(c: number, state: number): void {
    this.buffer.clear();
    this.state = state;
    this.putName(c);
  }

  private putName(c: number): void {
    if (!this.buffer.putName(c)) {
      this.fail("xml-name-too-long", `a name longer than ${this.limits.name}`);
    } else if (this.buffer.colon === -2) this.bad("a name with a misplaced colon");
  }

  /** What was wrong with a tag, if anything. */
  private judge(): void {
    if (this.tags.wrong !== "") this.bad(this.tags.wrong);
  }

  private flushText(): void {
    const { buffer } = this;
    if (buffer.solid && this.depth > 0) this.handler.text(buffer.take(), buffer.cut);
    this.buffer.clear();
  }

  private openTag(empty: boolean): void {
    const { tags, limits } = this;
    this.state = TEXT;
    this.buffer.clear();
    const { spaces } = tags;
    if (!tags.resolveNames(limits.namespaces)) {
      this.judge();
      this.fail("xml-too-many-namespaces", `more than ${limits.namespaces} namespaces`);
    }
    this.judge();
    if (this.fault !== undefined) return;
    if (tags.depth >= limits.depth) {
      this.fail("xml-too-deep", `more than ${limits.depth} elements inside each other`);
      return;
    }
    const found = this.names[tags.uri]?.[tags.local];
    const name = typeof found === "number" ? found : XML_UNKNOWN;
    this.sawRoot = true;
    tags.push(name, spaces);
    this.handler.open(name, this);
    tags.attributes = 0;
    if (empty && this.fault === undefined) this.closeTag();
  }

  private closeName(c: number): void {
    if (this.buffer.length === 0 ? isNameStart(c) : isNameChar(c)) {
      this.putName(c);
      return;
    }
    if (!this.tags.closes(this.buffer)) {
      this.bad("an end tag that matches no start tag");
      return;
    }
    this.state = CLOSE_AFTER;
    this.char(c);
  }

  private closeTag(): void {
    this.state = TEXT;
    this.buffer.clear();
    this.handler.close(this.tags.top);
    this.tags.pop();
  }
}
