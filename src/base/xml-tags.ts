/** The open elements of an XML document, their namespaces, and the attributes of the tag that is being read. */
import type { XmlBuffer } from "./xml-buffer.js";

const XML_URI = "http://www.w3.org/XML/1998/namespace";
const XMLNS_URI = "http://www.w3.org/2000/xmlns/";

export class XmlTags {
  /** URI and local name of the element being opened. */
  uri = "";
  local = "";
  depth = 0;
  attributes = 0;
  /** What is wrong with the tag, in words; "" for nothing. The first counts. */
  wrong = "";

  // The open elements.
  private readonly stackName: number[] = [];
  private readonly stackPrefix: string[] = [];
  private readonly stackLocal: string[] = [];
  private readonly stackSpaces: number[] = [];
  private prefix = "";

  // Namespaces in force, innermost last.
  private readonly nsPrefix: string[] = ["", "xml"];
  private readonly nsUri: string[] = ["", XML_URI];

  private readonly attrPrefix: string[] = [];
  private readonly attrLocal: string[] = [];
  private readonly attrValue: string[] = [];
  private readonly attrUri: string[] = [];

  /** The name in the buffer is that of a tag which begins. */
  begin(name: XmlBuffer): void {
    this.attributes = 0;
    this.prefix = this.prefixOf(name);
    this.local = this.localOf(name);
  }

  /** The name in the buffer is that of an attribute. */
  attributeName(name: XmlBuffer): void {
    this.attrPrefix[this.attributes] = this.prefixOf(name);
    this.attrLocal[this.attributes] = this.localOf(name);
  }

  attributeValue(value: XmlBuffer): void {
    const at = this.attributes;
    if (value.cut && this.declares(at)) this.bad("a namespace name that is too long");
    this.attrValue[this.attributes++] = value.take();
  }

  /** Value of an attribute of the element being opened; no-namespace attributes have the URI "". */
  attribute(uri: string, local: string): string | undefined {
    for (let i = 0; i < this.attributes; i++) {
      if (this.attrLocal[i] === local && this.attrUri[i] === uri) return this.attrValue[i];
    }
    return undefined;
  }

  attributeAt(index: number): readonly [uri: string, local: string, value: string] {
    return [this.attrUri[index] ?? "", this.attrLocal[index] ?? "", this.attrValue[index] ?? ""];
  }

  /** The tag is whole: its namespaces are declared and its names resolved. False for too many namespaces. */
  resolveNames(most: number): boolean {
    for (let i = 0; i < this.attributes; i++) {
      const prefix = this.attrPrefix[i]!;
      if (!this.declares(i)) continue;
      if (this.nsPrefix.length >= most) return false;
      this.declare(prefix === "" ? "" : this.attrLocal[i]!, this.attrValue[i]!.trim());
    }
    for (let i = 0; i < this.attributes; i++) {
      const prefix = this.attrPrefix[i]!;
      const local = this.attrLocal[i]!;
      let uri = "";
      if (this.declares(i)) uri = XMLNS_URI;
      else if (prefix !== "") uri = this.resolve(prefix);
      for (let j = 0; j < i; j++) {
        if (this.attrLocal[j] === local && this.attrUri[j] === uri) this.bad("the same attribute twice");
      }
      this.attrUri[i] = uri;
    }
    if (this.prefix === "xmlns") this.bad("an element with the prefix xmlns");
    this.uri = this.resolve(this.prefix);
    return true;
  }

  get spaces(): number {
    return this.nsPrefix.length;
  }

  /** Puts the element on the stack; `spaces`: namespaces that were in force before its own. */
  push(name: number, spaces: number): void {
    this.stackName[this.depth] = name;
    this.stackPrefix[this.depth] = this.prefix;
    this.stackLocal[this.depth] = this.local;
    this.stackSpaces[this.depth] = spaces;
    this.depth++;
  }

  /** True where the name in the buffer is that of the innermost element. */
  closes(name: XmlBuffer): boolean {
    const prefix = this.stackPrefix[this.depth - 1]!;
    const at = prefix === "" ? 0 : prefix.length + 1;
    if (at === 0 ? name.colon !== -1 : name.colon !== prefix.length || !name.same(prefix, 0, at - 1))
      return false;
    return name.same(this.stackLocal[this.depth - 1]!, at, name.length);
  }

  /** Name of the innermost element. */
  get top(): number {
    return this.stackName[this.depth - 1]!;
  }

  /** Takes the innermost element off, and the namespaces that it declared. */
  pop(): void {
    this.depth--;
    const spaces = this.stackSpaces[this.depth]!;
    this.nsPrefix.length = spaces;
    this.nsUri.length = spaces;
  }

  private bad(text: string): void {
    if (this.wrong === "") this.wrong = text;
  }

  /** True for an attribute that declares a namespace. */
  private declares(i: number): boolean {
    const prefix = this.attrPrefix[i];
    return prefix === "xmlns" || (prefix === "" && this.attrLocal[i] === "xmlns");
  }

  private declare(prefix: string, uri: string): void {
    if (prefix === "xmlns" || uri === XMLNS_URI || (prefix === "xml") !== (uri === XML_URI)) {
      this.bad("a reserved namespace is redefined");
    }
    if (prefix !== "" && uri === "") this.bad("a prefix is undefined, which XML 1.0 forbids");
    this.nsPrefix.push(prefix);
    this.nsUri.push(uri);
  }

  private resolve(prefix: string): string {
    for (let i = this.nsPrefix.length - 1; i >= 0; i--) {
      if (this.nsPrefix[i] === prefix) return this.nsUri[i]!;
    }
    this.bad("a prefix without namespace");
    return "";
  }

  /** The prefix in the buffer; one that is in force already is not copied. */
  private prefixOf(name: XmlBuffer): string {
    const end = Math.max(0, name.colon);
    if (end === 0) return "";
    for (let i = this.nsPrefix.length - 1; i >= 0; i--) {
      if (name.same(this.nsPrefix[i]!, 0, end)) return this.nsPrefix[i]!;
    }
    return name.take(0, end);
  }

  private localOf(name: XmlBuffer): string {
    const local = name.local();
    if (local === undefined || name.colon === -2) this.bad("a name with a misplaced colon");
    return local ?? "";
  }
}
