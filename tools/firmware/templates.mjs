// A text with places in it is a sum in a device build: `${a}: ${b}` becomes a + ": " + b. XS makes a template an addition
// for each piece, the empty ones too, and turns every value to a text by an instruction of its own: four bytes of code, and
// a copy of the text on the heap, for each piece that is not there.
// A sum means the same only if one of its first two parts is a text for sure; where none is, "" comes first. (An object
// with a valueOf of its own would differ; src/ has none.)
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The edits `[place, length, by]` of a file's templates; to be put behind all other edits of the file. */
export function templateEdits(file) {
  const ts = require("typescript");
  const edits = [];
  const cut = (from, to, by) => edits.push([from, to - from, by]);
  const visit = (node) => {
    if (ts.isTemplateExpression(node) && !ts.isTaggedTemplateExpression(node.parent)) {
      const { head, templateSpans } = node;
      const first = templateSpans[0];
      const led = head.text !== "" || first.literal.text === "";
      cut(
        node.getStart(file),
        first.expression.getStart(file),
        led ? `(${JSON.stringify(head.text)}+(` : "((",
      );
      templateSpans.forEach((span, i) => {
        const text = span.literal.text === "" ? "" : `+${JSON.stringify(span.literal.text)}`;
        const next = templateSpans[i + 1];
        if (next) cut(span.expression.end, next.expression.getStart(file), `)${text}+(`);
        else cut(span.expression.end, node.end, `)${text})`);
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}
