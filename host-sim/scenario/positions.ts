import { isMap, isScalar, isSeq, type LineCounter, type Node, type ParsedNode } from "yaml";

/** Where each field of a document stands, by its path as `src/setup/spec.ts` writes it: `steps[2].expect`. */
export class Positions {
  private readonly offsets = new Map<string, number>();

  constructor(
    root: ParsedNode | null,
    private readonly counter: LineCounter,
  ) {
    this.walk(root, "");
  }

  /** The longest path known that `path` begins with, and its place: for a missing field that of its parent. */
  find(path: string): { readonly line: number; readonly column: number } {
    let best = "";
    for (const known of this.offsets.keys()) {
      if (known.length > best.length && startsWithPath(path, known)) best = known;
    }
    const { line, col } = this.counter.linePos(this.offsets.get(best) ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The path that a sentence begins with: "steps[0].fault must be …"; "" where none is known. */
  pathIn(sentence: string): string {
    let best = "";
    for (const known of this.offsets.keys()) {
      if (known.length > best.length && sentence.startsWith(`${known} `)) best = known;
    }
    if (best !== "" || sentence.startsWith("the ")) return best;
    return /^[\w$.[\]-]+/.exec(sentence)?.[0] ?? "";
  }

  private walk(node: Node | null, path: string): void {
    if (node === null) return;
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key)) continue;
        const at = path === "" ? String(key.value) : `${path}.${String(key.value)}`;
        this.offsets.set(at, key.range?.[0] ?? 0);
        this.walk(value as Node | null, at);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, i) => {
        const at = `${path}[${i}]`;
        this.offsets.set(at, (item as Node).range?.[0] ?? 0);
        this.walk(item as Node, at);
      });
    }
  }
}

function startsWithPath(path: string, known: string): boolean {
  if (!path.startsWith(known)) return false;
  const next = path[known.length];
  return next === undefined || next === "." || next === "[";
}
