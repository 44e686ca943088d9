/** Puts a repository where a web server hands it out, in an order in which no module ever finds half of a state. */
import { createHash } from "node:crypto";
import type { Files } from "./files.js";

export interface Published {
  readonly written: number;
  readonly deleted: number;
}

/** Images first, then numbered metadata, the timestamp last; then what nothing names any more is taken away. */
export function publish(
  from: Files,
  to: Files,
  named: readonly { readonly path: string; readonly sha256: string }[],
  progress: (done: number, total: number) => void = () => undefined,
): Published {
  const targets = named.map(({ path, sha256 }) => `targets/${sha256}.${path}`);
  const metadata = from.list().filter((path) => /^metadata\/\d+\.(root|snapshot|targets)\.json$/.test(path));
  const order = [...targets, ...metadata, "metadata/timestamp.json"];
  let written = 0;
  order.forEach((path, i) => {
    const bytes = from.read(path)!;
    const there = to.read(path);
    if (there === undefined || hash(there) !== hash(bytes)) {
      to.write(path, bytes);
      written++;
    }
    progress(i + 1, order.length);
  });
  // A withdrawn image must not be had from here any more, not even by who knows its address.
  const stale = to.list().filter((path) => path.startsWith("targets/") && !targets.includes(path));
  for (const path of stale) to.delete(path);
  return { written, deleted: stale.length };
}

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
