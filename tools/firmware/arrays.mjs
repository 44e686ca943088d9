// What goes over an array goes by its index in a device build, and an array is made by a call: `for (const x of list)`,
// `const [a, b] = pair`, `[a, b]`, `[...list, x]`. In XS the protocol of iterators takes 100 to 150 bytes of code each time
// and an object per element, and a literal of three elements 51 bytes; an index takes a third and no object, Array.of 19.
// Whether something is an array is told by its type, so this works on the TypeScript sources of src/; what may be something
// else (a Map, a generator, a text) stays as it is.
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const source = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "src");
const slashed = (path) => path.split(sep).join("/");

let program;

/** The compiler with the types of src/; made once, in two seconds. */
export function sources() {
  if (program) return program;
  const ts = require("typescript");
  const config = ts.getParsedCommandLineOfConfigFile(join(source, "tsconfig.json"), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    },
  });
  return (program = ts.createProgram(config.fileNames, config.options));
}

/** The file as the compiler has read it, with its types; undefined for a file that is not of src/. */
export function typedFile(path) {
  if (!slashed(path).startsWith(`${slashed(source)}/`) || !path.endsWith(".ts")) return undefined;
  return sources().getSourceFile(slashed(path));
}

/** The edits `[place, length, by]` that a file of the program needs; those of one place in the order of their use. */
export function arrayEdits(file, of = sources()) {
  const ts = require("typescript");
  const checker = of.getTypeChecker();
  const edits = [];
  let count = 0;
  const fresh = (letter) => `$${letter}${count++}`;

  const each = (type, holds) => (type.isUnion() ? type.types.every(holds) : holds(type));
  const isArray = (node) =>
    each(checker.getTypeAtLocation(node), (type) => checker.isArrayType(type) || checker.isTupleType(type));
  const isIndexed = (node) =>
    each(
      checker.getTypeAtLocation(node),
      (type) =>
        checker.isArrayType(type) ||
        checker.isTupleType(type) ||
        type.symbol?.name === "Uint8Array" ||
        type.symbol?.name === "Uint32Array",
    );
  /** A name that always means the same, so that it can be read twice. */
  const isFixed = (node) => {
    if (node.kind === ts.SyntaxKind.ThisKeyword) return true;
    if (!ts.isIdentifier(node)) return false;
    const declared = checker.getSymbolAtLocation(node)?.valueDeclaration;
    return (
      declared !== undefined &&
      ts.isVariableDeclaration(declared) &&
      (ts.getCombinedNodeFlags(declared) & ts.NodeFlags.Const) !== 0
    );
  };
  /** The parts of a pattern as declarations that read `from`; undefined where it has more than names. */
  const parts = (pattern, from) => {
    const list = [];
    for (const [i, element] of pattern.elements.entries()) {
      if (ts.isOmittedExpression(element)) continue;
      if (element.initializer || element.dotDotDotToken || !ts.isIdentifier(element.name)) return undefined;
      const name = element.propertyName ?? element.name;
      if (ts.isObjectBindingPattern(pattern) && !ts.isIdentifier(name)) return undefined;
      list.push(
        `${element.name.text}=${from}${ts.isArrayBindingPattern(pattern) ? `[${i}]` : `.${name.text}`}`,
      );
    }
    return list.length > 0 ? list.join(",") : undefined;
  };
  const cut = (from, to, by) => edits.push([from, to - from, by]);
  const put = (at, by) => edits.push([at, 0, by]);
  const start = (node) => node.getStart(file);

  const loop = (node) => {
    const { initializer, expression, statement } = node;
    if (node.awaitModifier || !ts.isVariableDeclarationList(initializer) || !isIndexed(expression))
      return false;
    const { name } = initializer.declarations[0];
    const [i, list, element] = [fresh("i"), fresh("l"), fresh("e")];
    const held = isFixed(expression) ? expression.text : list;
    const declared = ts.isIdentifier(name)
      ? `${name.text}=${held}[${i}]`
      : parts(name, element) && `${element}=${held}[${i}],${parts(name, element)}`;
    if (declared === undefined || held === undefined) return false;
    const keyword = initializer.flags & ts.NodeFlags.Const ? "const" : "let";
    if (held === list) cut(start(node), start(expression), `for(let ${i}=0,${list}=`);
    else cut(start(node), expression.end, `for(let ${i}=0`);
    visit(expression);
    const block = ts.isBlock(statement);
    cut(
      expression.end,
      start(statement) + (block ? 1 : 0),
      `;${i}<${held}.length;${i}++){${keyword} ${declared};`,
    );
    if (block) ts.forEachChild(statement, visit);
    else {
      visit(statement);
      put(statement.end, "}");
    }
    return true;
  };

  const declaration = (node) => {
    const { name, initializer } = node;
    if (!initializer || ts.isIdentifier(name)) return false;
    const byIndex = ts.isArrayBindingPattern(name);
    if (byIndex && !isIndexed(initializer)) return false;
    if (isFixed(initializer)) {
      const list = parts(name, initializer.getText(file));
      if (list === undefined) return false;
      cut(start(node), node.end, list);
      return true;
    }
    const held = fresh("d");
    const list = parts(name, held);
    if (list === undefined) return false;
    if (!byIndex && name.elements.length === 1) {
      const [element] = name.elements;
      cut(start(node), start(initializer), `${element.name.text}=(`);
      visit(initializer);
      put(initializer.end, `).${(element.propertyName ?? element.name).text}`);
      return true;
    }
    if (!byIndex) return false;
    cut(start(node), start(initializer), `${held}=`);
    visit(initializer);
    put(initializer.end, `,${list}`);
    return true;
  };

  const arrow = (node) => {
    const [parameter] = node.parameters;
    if (node.parameters.length !== 1 || !ts.isArrayBindingPattern(parameter.name)) return false;
    if (parameter.initializer || !isArray(parameter)) return false;
    const held = fresh("p");
    const list = parts(parameter.name, held);
    if (list === undefined) return false;
    const block = ts.isBlock(node.body);
    cut(start(parameter), parameter.end, held);
    if (block) put(start(node.body) + 1, `const ${list};`);
    else put(start(node.body), `{const ${list};return(`);
    visit(node.body);
    if (!block) put(node.body.end, ")}");
    return true;
  };

  const literal = (node) => {
    const { elements } = node;
    // A pattern to assign to is no array.
    if (ts.isBinaryExpression(node.parent) && node.parent.left === node) return false;
    if (!elements.some(ts.isSpreadElement)) {
      cut(start(node), start(node) + 1, "Array.of(");
      elements.forEach(visit);
      cut(node.end - 1, node.end, ")");
      return true;
    }
    if (!elements.every((element) => !ts.isSpreadElement(element) || isArray(element.expression)))
      return false;
    // At the top level it is frozen where it stands, as a literal.
    if (ts.isVariableDeclaration(node.parent) && ts.isSourceFile(node.parent.parent.parent.parent))
      return false;
    // Neighbours that are no spreads are one array; all are joined to the first.
    let at = start(node);
    let close = "";
    let groups = 0;
    elements.forEach((element, i) => {
      const spread = ts.isSpreadElement(element);
      const inner = spread ? element.expression : element;
      const goesOn = !spread && i > 0 && !ts.isSpreadElement(elements[i - 1]);
      if (goesOn) cut(at, start(inner), ",");
      else {
        const joint = groups === 0 ? "" : groups === 1 ? ".concat(" : ",";
        cut(at, start(inner), `${close}${joint}${spread ? "(" : "Array.of("}`);
        close = ")";
        groups++;
      }
      visit(inner);
      at = element.end;
    });
    cut(at, node.end, groups === 1 ? ").slice()" : "))");
    return true;
  };

  function visit(node) {
    const done =
      (ts.isForOfStatement(node) && loop(node)) ||
      (ts.isVariableDeclaration(node) && !ts.isForOfStatement(node.parent.parent) && declaration(node)) ||
      (ts.isArrowFunction(node) && arrow(node)) ||
      (ts.isArrayLiteralExpression(node) && literal(node));
    if (!done) ts.forEachChild(node, visit);
  }
  visit(file);
  return edits;
}

/** The text with its edits; stable where several stand at one place. */
export function edited(text, edits) {
  let out = "";
  let from = 0;
  for (const [place, length, by] of [...edits].sort(([a], [b]) => a - b)) {
    out += text.slice(from, place) + by;
    from = place + length;
  }
  return out + text.slice(from);
}
