// A whole number that has a name at a module's top level, or is a member of a table of such, stands itself where it is used
// in a device build: in XS a name of the top level costs each function that uses it 5 bytes and a slot of ROM, a small
// number 2. What the name means is looked up in the sources of src/, where it is written as a number.
import { createRequire } from "node:module";
import { sources } from "./arrays.mjs";

const require = createRequire(import.meta.url);

/** The edits `[place, length, by]` of a file of the program; they overlap with none of arrays.mjs. */
export function numberEdits(file, of = sources()) {
  const ts = require("typescript");
  const checker = of.getTypeChecker();
  const edits = [];

  const bare = (node) =>
    ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)
      ? bare(node.expression)
      : node;
  /** What a constant of a module's top level is made of; undefined for every other name. */
  const made = (name) => {
    let symbol = checker.getSymbolAtLocation(name);
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
    const declared = symbol?.valueDeclaration;
    return declared &&
      ts.isVariableDeclaration(declared) &&
      ts.isVariableStatement(declared.parent.parent) &&
      ts.isSourceFile(declared.parent.parent.parent) &&
      (declared.parent.flags & ts.NodeFlags.Const) !== 0
      ? declared.initializer && bare(declared.initializer)
      : undefined;
  };
  const whole = (node) => {
    if (node && ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) {
      const value = whole(node.operand);
      return value ? -value : undefined;
    }
    if (!node || !ts.isNumericLiteral(node)) return undefined;
    const value = Number(node.text);
    return Number.isInteger(value) && value <= 0x7fffffff ? value : undefined;
  };
  /** The number that an expression is; undefined where it is none that is known. */
  const known = (node) => {
    // The type is that very number only where the table cannot change.
    if (!checker.getTypeAtLocation(node).isNumberLiteral()) return undefined;
    if (ts.isIdentifier(node)) return whole(made(node));
    const table = made(node.expression);
    if (!table || !ts.isObjectLiteralExpression(table)) return undefined;
    const members = table.properties.filter(
      (one) => ts.isPropertyAssignment(one) && ts.isIdentifier(one.name) && one.name.text === node.name.text,
    );
    return members.length === 1 && !table.properties.some(ts.isSpreadAssignment)
      ? whole(bare(members[0].initializer))
      : undefined;
  };
  /** A name that stands for its value, not one that is being made, brought in or put into an object under itself. */
  const isUse = (node, { parent } = node) =>
    !(ts.isVariableDeclaration(parent) && parent.name === node) &&
    !ts.isImportSpecifier(parent) &&
    !ts.isExportSpecifier(parent) &&
    !ts.isShorthandPropertyAssignment(parent) &&
    !ts.isBindingElement(parent) &&
    !((ts.isPropertyAssignment(parent) || ts.isClassElement(parent)) && parent.name === node);

  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const named =
      ts.isIdentifier(node) || (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression));
    const value = named && isUse(node) ? known(node) : undefined;
    if (value !== undefined)
      edits.push([
        node.getStart(file),
        node.end - node.getStart(file),
        value < 0 ? `(${value})` : `${value} `,
      ]);
    else if (ts.isPropertyAccessExpression(node)) visit(node.expression);
    else ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}
